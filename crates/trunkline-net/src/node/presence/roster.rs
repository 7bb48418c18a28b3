//! [`Roster`]: who is there, as far as they have said.

use super::{
    agreed::{Agreed, Learned},
    node_info::NodeInfo,
    said::{Here, LARGEST},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use trunkline_core::Catalog;

/// How many nodes are known at most, and how many bytes of their catalogs, as they were told.
const MOST: (usize, usize) = (4096, 64 << 20);

/// How often a node may be silent that has said that it will not be, before it is forgotten.
const SILENT: u32 = 3;

/// What a node may say of how often it speaks.
const EVERY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(300));

/// After which time a catalog is asked for again that was not told.
const AGAIN: Duration = Duration::from_secs(2);

/// Who is there, as far as they have said. It has no clock.
#[derive(Default)]
pub(crate) struct Roster {
    /// By their ids.
    nodes: HashMap<Box<str>, Seen>,
    /// By their digests: those that a node has. Most nodes of a kind have the same.
    catalogs: HashMap<Box<str>, Told>,
    /// When those were asked for that are not there.
    asked: HashMap<Box<str>, Instant>,
    /// What those catalogs say of procedures.
    agreed: Agreed,
    /// Counts changes of what is served.
    revision: u64,
    /// Whether nobody can be heard: then nobody is silent.
    is_deaf: bool,
}

struct Seen {
    said: Here,
    heard: Instant,
    /// It is kept for a while all the same: what it said before may come after that.
    is_gone: bool,
}

struct Told {
    catalog: Arc<Catalog>,
    bytes: usize,
}

impl Roster {
    /// A node has said something of itself. Whether it is to be asked for its catalog.
    pub(super) fn here(&mut self, said: Here, now: Instant) -> (bool, Learned) {
        let known = self.nodes.get(&said.id);
        if !said.is_short() || known.is_some_and(|seen| seen.is_gone) {
            return (false, Vec::new());
        }
        if known.is_none() && self.nodes.len() >= MOST.0 {
            return (false, Vec::new());
        }
        let serves = |said: &Here| (said.catalog.clone(), said.is_leaving);
        let changes = known.is_none_or(|seen| serves(&seen.said) != serves(&said));
        let catalog = said.catalog.clone();
        self.nodes.insert(said.id.clone(), Seen { said, heard: now, is_gone: false });
        let learned = if changes { self.changed() } else { Vec::new() };
        (catalog.is_some_and(|digest| self.ask(&digest, now)), learned)
    }

    /// Whether to ask for a catalog.
    fn ask(&mut self, digest: &str, now: Instant) -> bool {
        let asked = self.asked.get(digest).is_some_and(|asked| now < *asked + AGAIN);
        if asked || self.catalogs.contains_key(digest) || self.bytes() + LARGEST > MOST.1 {
            return false;
        }
        self.asked.insert(digest.into(), now);
        true
    }

    /// How many bytes of catalogs are known.
    fn bytes(&self) -> usize {
        self.catalogs.values().map(|told| told.bytes).sum()
    }

    /// Whether somebody has a catalog of this digest, which was not told yet.
    pub(super) fn wants(&self, digest: &str) -> bool {
        self.asked.contains_key(digest) && !self.catalogs.contains_key(digest)
    }

    /// A catalog was told that is [wanted](Self::wants), in so many bytes. It is left out
    /// if there is no room for it.
    pub(super) fn told(&mut self, digest: Box<str>, catalog: Arc<Catalog>, bytes: usize) -> Learned {
        if !self.wants(&digest) || self.bytes() + bytes > MOST.1 {
            return Vec::new();
        }
        self.asked.remove(&digest);
        self.revision += 1;
        let learned = self.agreed.add(&catalog);
        self.catalogs.insert(digest, Told { catalog, bytes });
        learned
    }

    /// A node has left.
    pub(super) fn gone(&mut self, id: &str) -> Learned {
        match self.nodes.get_mut(id) {
            Some(seen) if !seen.is_gone => seen.is_gone = true,
            _ => return Vec::new(),
        }
        self.changed()
    }

    /// Forgets those who are silent.
    pub(super) fn forget(&mut self, now: Instant) -> Learned {
        if self.is_deaf {
            return Vec::new();
        }
        self.nodes.retain(|_, seen| now < seen.until());
        self.changed()
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.changed();
    }

    /// When the next one is forgotten, if nothing is heard of it.
    pub(super) fn next_forgotten(&self) -> Option<Instant> {
        let nodes = self.nodes.values().filter(|_| !self.is_deaf);
        nodes.map(Seen::until).min()
    }

    /// Nobody can be heard.
    pub(super) fn lost(&mut self) {
        self.is_deaf = true;
    }

    /// Everybody can be heard again, and has as long as ever to speak.
    pub(super) fn restored(&mut self, now: Instant) {
        self.is_deaf = false;
        self.nodes.values_mut().for_each(|seen| seen.heard = now);
    }

    /// How many nodes are known.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Who is there, by name.
    pub(crate) fn nodes(&self, now: Instant) -> Vec<NodeInfo> {
        let there = self.nodes.values().filter(|seen| !seen.is_gone);
        let mut nodes: Vec<NodeInfo> = there.map(|seen| self.info(seen, now)).collect();
        nodes.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        nodes
    }

    /// Another number whenever something else is served.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    fn info(&self, Seen { said, heard, .. }: &Seen, now: Instant) -> NodeInfo {
        let silent = now.saturating_duration_since(*heard);
        let catalog = said.catalog.as_ref().and_then(|digest| self.catalogs.get(digest));
        NodeInfo {
            id: said.id.clone(),
            name: said.name.clone(),
            version: said.version.clone(),
            software: said.software.clone(),
            uptime: Duration::from_millis(said.up_ms).saturating_add(silent),
            silent,
            is_leaving: said.is_leaving,
            load: said.load,
            catalog: catalog.map(|told| told.catalog.clone()),
        }
    }

    /// Something else is served than before, by others or by fewer.
    fn changed(&mut self) -> Learned {
        self.revision += 1;
        let there = self.nodes.values().filter(|seen| !seen.is_gone);
        let in_use: HashSet<&str> = there.filter_map(|seen| seen.said.catalog.as_deref()).collect();
        self.asked.retain(|digest, _| in_use.contains(&**digest));
        let gone: Vec<Told> =
            self.catalogs.extract_if(|digest, _| !in_use.contains(&**digest)).map(|(_, told)| told).collect();
        self.agreed.remove(gone.iter().map(|told| &*told.catalog))
    }
}

/// What nodes serve to outsiders. Where they say different things of a procedure, that
/// counts of the one that was started last.
pub(crate) fn catalog_of(mut nodes: Vec<NodeInfo>) -> Catalog {
    nodes.retain(|node| !node.is_leaving);
    nodes.sort_by_key(|node| node.uptime);
    let mut seen = HashSet::new();
    let catalogs = nodes.into_iter().filter_map(|node| node.catalog);
    let mut all = Catalog::default();
    for catalog in catalogs.filter(|catalog| seen.insert(Arc::as_ptr(catalog))) {
        all.add(Catalog::clone(&catalog).for_outsiders());
    }
    all
}

impl Seen {
    /// When it is forgotten, if nothing is heard of it.
    fn until(&self) -> Instant {
        self.heard + Duration::from_millis(self.said.every_ms).clamp(EVERY.0, EVERY.1) * SILENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trunkline_core::{Router, handler::handler};

    fn here(id: &str, catalog: &str) -> Here {
        Here {
            id: id.into(),
            name: id.into(),
            every_ms: 1000,
            catalog: Some(catalog.into()),
            ..Here::default()
        }
    }

    /// One that serves `name`.
    fn catalog(name: &str, is_idempotent: bool) -> Arc<Catalog> {
        let one = handler(async || 1);
        let one = if is_idempotent { one.idempotent() } else { one };
        Arc::new(Router::new().procedure(name, one).catalog())
    }

    fn ids(roster: &Roster, now: Instant) -> Vec<Box<str>> {
        roster.nodes(now).into_iter().map(|node| node.id).collect()
    }

    #[test]
    fn who_says_too_much_of_itself_is_not_remembered() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        let long: Box<str> = "x".repeat(129).into();
        roster.here(Here { name: long.clone(), ..here("a", "1") }, now);
        roster.here(Here { version: long.clone(), ..here("b", "1") }, now);
        roster.here(Here { software: long.clone(), ..here("c", "1") }, now);
        roster.here(here("d", &long), now);
        roster.here(Here { name: long[1..].into(), ..here("e", "1") }, now);
        assert_eq!(ids(&roster, now), ["e".into()]);
    }

    #[test]
    fn who_is_silent_is_forgotten_unless_nobody_can_be_heard() {
        let (mut roster, start) = (Roster::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        roster.here(here("a", "1"), at(0));
        roster.here(here("b", "1"), at(2));
        assert_eq!(roster.next_forgotten(), Some(at(3)));
        roster.forget(at(3));
        assert_eq!(ids(&roster, at(3)), ["b".into()]);
        roster.lost();
        roster.forget(at(100));
        assert_eq!((ids(&roster, at(100)).len(), roster.next_forgotten()), (1, None));
        roster.restored(at(100));
        assert_eq!(roster.next_forgotten(), Some(at(103)));
        // nobody is kept for ever because it says so
        roster.here(Here { every_ms: u64::MAX, ..here("c", "1") }, at(100));
        roster.forget(at(100 + 900));
        assert!(ids(&roster, at(1000)).is_empty());
    }

    #[test]
    fn who_has_left_does_not_come_back() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        roster.here(here("a", "1"), now);
        roster.gone("a");
        // said before, and heard later
        roster.here(here("a", "1"), now);
        assert!(ids(&roster, now).is_empty());
        roster.forget(now + 3 * Duration::from_secs(1));
        assert_eq!(roster.len(), 0);
    }

    #[test]
    fn a_catalog_is_asked_for_once_and_kept_while_somebody_has_it() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        assert!(roster.here(here("a", "1"), now).0);
        assert!(!roster.here(here("b", "1"), now).0);
        assert!(roster.here(here("b", "1"), now + AGAIN).0, "nobody has told it yet");
        assert!(roster.wants("1") && !roster.wants("2"));
        roster.told("1".into(), catalog("one", false), 1);
        roster.told("2".into(), catalog("made up", false), 1);
        assert!(!roster.here(here("a", "1"), now + 2 * AGAIN).0 && !roster.wants("1"));
        let told: Vec<bool> = roster.nodes(now).iter().map(|node| node.catalog.is_some()).collect();
        assert_eq!(told, [true, true]);
        roster.gone("a");
        assert_eq!(roster.catalogs.len(), 1);
        roster.gone("b");
        assert_eq!((roster.catalogs.len(), roster.asked.len()), (0, 0));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        for id in ["", "a.b", "*", "é", &*"a".repeat(65)] {
            roster.here(here(id, "1"), now);
        }
        assert_eq!(roster.len(), 0, "they are no ids");
        roster.here(here("a", "1"), now);
        roster.here(here("b", "2"), now);
        roster.told("1".into(), catalog("one", false), MOST.1);
        roster.told("2".into(), catalog("two", false), 1);
        assert_eq!(roster.catalogs.keys().map(|digest| &**digest).collect::<Vec<_>>(), ["1"]);
        assert!(!roster.here(here("b", "2"), now + AGAIN).0, "nor is it asked for again");
        (0..MOST.0).for_each(|number| drop(roster.here(here(&format!("n{number}"), "1"), now)));
        assert_eq!(roster.len(), MOST.0);
    }

    #[test]
    fn what_is_known_to_be_idempotent_all_say_who_have_it() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        roster.here(here("new", "new"), now);
        let learned = roster.told("new".into(), catalog("one", true), 1);
        assert_eq!(learned, [("one".into(), true)]);
        roster.here(here("old", "old"), now);
        assert_eq!(roster.told("old".into(), catalog("one", false), 1), [("one".into(), false)]);
        assert_eq!(roster.here(here("other", "old"), now), (false, vec![]), "that is no news");
        assert_eq!(roster.gone("old"), []);
        assert_eq!(roster.gone("other"), [("one".into(), true)]);
        assert_eq!(roster.gone("new"), [], "who is asked next says what it is");
    }

    #[test]
    fn what_several_said_who_are_forgotten_at_once_is_no_news() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        for (id, is_idempotent) in [("a", true), ("b", false), ("c", true)] {
            roster.here(here(id, id), now);
            roster.told(id.into(), catalog("one", is_idempotent), 1);
        }
        assert_eq!(roster.forget(now + Duration::from_secs(3)), []);
        roster.here(here("d", "d"), now);
        assert_eq!(roster.told("d".into(), catalog("one", true), 1), [("one".into(), true)]);
    }

    #[test]
    fn the_node_that_was_started_last_says_what_a_procedure_is() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        for (id, up_ms) in [("old", 9000), ("new", 1000), ("newest", 100)] {
            roster.here(Here { up_ms, is_leaving: id == "newest", ..here(id, id) }, now);
            roster.told(id.into(), catalog("one", id == "new"), 1);
        }
        let is_idempotent = |roster: &Roster| catalog_of(roster.nodes(now)).procedures[0].details.idempotent;
        assert!(is_idempotent(&roster), "who is leaving is not asked");
        let before = roster.revision();
        roster.gone("new");
        assert!(!is_idempotent(&roster) && roster.revision() != before);
    }
}
