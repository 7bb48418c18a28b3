//! [`Agreed`]: what is known of procedures, as all say who have them.

use std::{collections::HashMap, iter::once};
use trunkline_core::Catalog;

/// Which procedures are idempotent: those of which all catalogs say so that have them. One
/// that comes or goes costs what is in it, however many others there are.
#[derive(Default)]
pub(super) struct Agreed(HashMap<Box<str>, Said>);

/// How many have said what of a procedure.
#[derive(Default)]
struct Said {
    /// That it is there.
    there: usize,
    /// That it is idempotent.
    idempotent: usize,
}

/// Procedures of which it is known since now whether they are idempotent.
pub(super) type Learned = Vec<(Box<str>, bool)>;

impl Agreed {
    /// A catalog has come.
    pub(super) fn add(&mut self, catalog: &Catalog) -> Learned {
        self.change(once(catalog), |said, is_idempotent| {
            said.there += 1;
            said.idempotent += usize::from(is_idempotent);
        })
    }

    /// Catalogs have gone that were added, all at once. Of what nobody has any more nothing
    /// is learned: who is asked next says what it is.
    pub(super) fn remove<'c>(&mut self, catalogs: impl Iterator<Item = &'c Catalog>) -> Learned {
        self.change(catalogs, |said, is_idempotent| {
            said.there -= 1;
            said.idempotent -= usize::from(is_idempotent);
        })
    }

    fn change<'c>(
        &mut self,
        catalogs: impl Iterator<Item = &'c Catalog>,
        change: impl Fn(&mut Said, bool),
    ) -> Learned {
        let mut before = HashMap::new();
        for entry in catalogs.flat_map(|catalog| &catalog.procedures) {
            let said = self.0.entry(entry.name.clone()).or_default();
            before.entry(&*entry.name).or_insert(said.is_idempotent());
            change(said, entry.details.idempotent);
        }
        let news = |(name, before): (&str, Option<bool>)| {
            let is_idempotent = self.0.get(name).and_then(Said::is_idempotent);
            if is_idempotent.is_none() {
                self.0.remove(name);
            }
            is_idempotent.filter(|_| is_idempotent != before).map(|is_so| (name.into(), is_so))
        };
        before.into_iter().filter_map(news).collect()
    }
}

impl Said {
    /// Whether it is, if anybody has it.
    fn is_idempotent(&self) -> Option<bool> {
        (self.there > 0).then_some(self.idempotent == self.there)
    }
}
