//! What is said of objects.

use super::{
    rule::Rule,
    run::{Outcome, Run, Wrong},
    text::Text,
    weight::{text_weight, weight_of},
};
use serde_json::{Map, Value};

impl<'s> Run<'s> {
    pub(super) fn object(&mut self, rule: &'s Rule, members: &mut Map<String, Value>) -> Outcome {
        match rule {
            Rule::Defaults(defaults) if !self.is_alternative => {
                for (name, default) in defaults {
                    if !members.contains_key(name) {
                        self.spend(weight_of(default))?;
                        members.insert(name.clone(), default.clone());
                    }
                }
                Ok(())
            }
            Rule::MaxProperties(max) if members.len() > *max => {
                self.fail(&format!("must NOT have more than {max} properties"))
            }
            Rule::MinProperties(min) if members.len() < *min => {
                self.fail(&format!("must NOT have fewer than {min} properties"))
            }
            Rule::Required(names) => match names.iter().find(|name| !members.contains_key(*name)) {
                Some(name) => self.fail(&format!("must have required property '{name}'")),
                None => Ok(()),
            },
            Rule::PropertyNames(part) => {
                for name in members.keys() {
                    self.spend(text_weight(name))?;
                    if !self.is_fit(*part, &mut Value::String(name.clone()))? {
                        return self.fail_as_well("property name must be valid");
                    }
                }
                Ok(())
            }
            Rule::Additional { listed, patterns, part } => {
                let is_listed = |name: &String| listed.contains(name);
                match part {
                    Some(part) => {
                        for (name, value) in members {
                            if !is_listed(name) && !self.matches(patterns, name)? {
                                self.within(name, *part, value)?;
                            }
                        }
                        Ok(())
                    }
                    None => {
                        let mut outcome = Ok(());
                        members.retain(|name, _| {
                            is_listed(name)
                                || self.matches(patterns, name).unwrap_or_else(|wrong| {
                                    outcome = Err(wrong);
                                    true
                                })
                        });
                        outcome
                    }
                }
            }
            Rule::NeedsNames(name, needed) => {
                let has = |name| members.contains_key(name);
                if !has(name) || needed.iter().all(has) {
                    return Ok(());
                }
                let properties = if needed.len() == 1 { "property" } else { "properties" };
                let needed = needed.join(", ");
                self.fail(&format!("must have {properties} {needed} when property {name} is present"))
            }
            Rule::Properties(parts) => {
                for (name, part) in parts {
                    if let Some(value) = members.get_mut(name) {
                        self.within(name, *part, value)?;
                    }
                }
                Ok(())
            }
            Rule::PatternProperties(parts) => {
                for (pattern, part) in parts {
                    for (name, value) in &mut *members {
                        if self.matches(std::slice::from_ref(pattern), name)? {
                            self.within(name, *part, value)?;
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether one of the patterns is found in a name.
    fn matches(&mut self, patterns: &[Text], name: &str) -> Result<bool, Wrong> {
        if patterns.is_empty() {
            return Ok(false);
        }
        self.spend(text_weight(name))?;
        let name = Value::String(name.to_owned());
        Ok(patterns.iter().any(|pattern| pattern.fits(&name)))
    }
}
