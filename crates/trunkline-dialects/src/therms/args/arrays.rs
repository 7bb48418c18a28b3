//! What is said of arrays.

use super::{
    rule::{Part, Rule},
    run::{Outcome, Run, Wrong},
    same,
    weight::weight_of,
};
use serde_json::Value;

impl<'s> Run<'s> {
    pub(super) fn array(&mut self, rule: &'s Rule, items: &mut Vec<Value>) -> Outcome {
        match rule {
            Rule::ItemDefaults(defaults) if !self.is_alternative => {
                // none is put behind one that is missing
                for default in defaults.iter().skip(items.len()).map_while(Option::as_ref) {
                    self.spend(weight_of(default))?;
                    items.push(default.clone());
                }
                Ok(())
            }
            Rule::MaxItems(max) if items.len() > *max => {
                self.fail(&format!("must NOT have more than {max} items"))
            }
            Rule::MinItems(min) if items.len() < *min => {
                self.fail(&format!("must NOT have fewer than {min} items"))
            }
            Rule::Rest(from, part) => {
                let mut rest = items.iter_mut().enumerate().skip(*from);
                rest.try_for_each(|(at, item)| self.within(&at.to_string(), *part, item))
            }
            Rule::Items(part) => {
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(at, item)| self.within(&at.to_string(), *part, item))
            }
            Rule::Tuple(parts) => {
                let mut items = items.iter_mut().zip(parts).enumerate();
                items.try_for_each(|(at, (item, part))| self.within(&at.to_string(), *part, item))
            }
            Rule::Contains(part) => self.contains(*part, items),
            Rule::Unique { scalars } => {
                for item in &*items {
                    self.spend(weight_of(item))?;
                }
                let pair = if *scalars { same::last_repeating(items) } else { same::last_repeated(items) };
                let Some((one, other)) = pair else { return Ok(()) };
                let which = format!("items ## {one} and {other} are identical");
                self.fail(&format!("must NOT have duplicate items ({which})"))
            }
            _ => Ok(()),
        }
    }

    fn contains(&mut self, part: Part, items: &mut [Value]) -> Outcome {
        let before = self.told.len();
        for (at, item) in items.iter_mut().enumerate() {
            let was = std::mem::replace(&mut self.is_alternative, true);
            let outcome = self.within(&at.to_string(), part, item);
            self.is_alternative = was;
            match outcome {
                Err(Wrong::Unfit) => {}
                Ok(()) => {
                    self.told.truncate(before);
                    return Ok(());
                }
                too_much => return too_much,
            }
        }
        self.fail("must contain at least 1 valid item(s)")
    }
}
