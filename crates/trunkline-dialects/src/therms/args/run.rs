//! [`Run`]: a schema is applied to arguments, once.

use super::{
    compile::escaped,
    number,
    rule::{Part, Rule, Schema},
    same::Same,
    weight::{text_weight, weight},
};
use serde_json::{Number, Value};

/// Schemas within schemas that are applied. A level of the arguments takes one to three.
const DEEPEST: usize = 512;
/// Levels of arguments.
const DEEPEST_ARGS: usize = 256;
/// Schemas that are applied to arguments of whatever size, and to each value of them.
const STEPS: usize = 100_000;
const STEPS_A_VALUE: usize = 32;
/// Bytes that are told.
const LONGEST: usize = 8 << 10;

/// Why a schema does not take a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not like that; another alternative may be.
    Unfit,
    /// It is too much to find out, and the rest is not looked at.
    TooMuch,
}

pub(super) type Outcome = Result<(), Wrong>;

/// What is known while a schema is applied.
#[derive(Debug)]
pub(super) struct Run<'s> {
    schemas: &'s [Schema],
    /// Where in the arguments: a JSON pointer.
    path: String,
    /// What is wrong so far.
    pub(super) told: String,
    /// Whether what is looked at may be wrong, so that what is told of it adds up.
    pub(super) is_alternative: bool,
    depth: usize,
    /// How much may still be done.
    steps: usize,
}

impl<'s> Run<'s> {
    /// One with all schemas, of which the first is the whole.
    pub(super) fn new(schemas: &'s [Schema]) -> Self {
        let (path, told) = (String::new(), String::new());
        Self { schemas, path, told, is_alternative: false, depth: 0, steps: 0 }
    }

    /// Changes arguments into what the schema wants, or tells why they are not that.
    pub(super) fn check(mut self, args: &mut Value) -> Result<(), String> {
        let Some(weight) = weight(args, DEEPEST_ARGS) else {
            return Err(format!("must NOT have more than {DEEPEST_ARGS} levels"));
        };
        self.steps = STEPS.saturating_add(STEPS_A_VALUE.saturating_mul(weight));
        match self.apply(0, args) {
            Ok(()) => Ok(()),
            Err(Wrong::Unfit) => Err(self.told),
            Err(Wrong::TooMuch) => Err("must be simpler, there is too much to check".to_owned()),
        }
    }

    fn apply(&mut self, part: Part, value: &mut Value) -> Outcome {
        self.spend(1)?;
        match &self.schemas[part] {
            Schema::Any(true) => Ok(()),
            Schema::Any(false) => self.fail("boolean schema is false"),
            Schema::Rules(_) if self.depth == DEEPEST => Err(Wrong::TooMuch),
            Schema::Rules(rules) => {
                self.depth += 1;
                let outcome = self.all(rules, value);
                self.depth -= 1;
                outcome
            }
        }
    }

    fn all(&mut self, rules: &'s [Rule], value: &mut Value) -> Outcome {
        let mut rules = rules.iter();
        while let Some(rule) = rules.next() {
            let outcome = self.rule(rule, value);
            if outcome == Err(Wrong::Unfit) && self.is_alternative && matches!(rule, Rule::Type(_)) {
                // an alternative of another type is told what else it lacks
                rules.take_while(|rule| rule.is_of_any_type()).try_for_each(|rule| self.rule(rule, value))?;
                return outcome;
            }
            outcome?;
        }
        Ok(())
    }

    fn rule(&mut self, rule: &'s Rule, value: &mut Value) -> Outcome {
        match rule {
            Rule::Type(types) => match types.coerce(value) {
                true => Ok(()),
                false => self.fail(&format!("must be {}", types.names())),
            },
            Rule::Ref { part, is_apart: false } => self.apply(*part, value),
            Rule::Ref { part, is_apart: true } => self.apart(*part, value),
            Rule::Const(constant) if Same(constant) == Same(value) => Ok(()),
            Rule::Const(_) => self.fail("must be equal to constant"),
            Rule::Enum(values) if values.iter().any(|it| Same(it) == Same(value)) => Ok(()),
            Rule::Enum(_) => self.fail("must be equal to one of the allowed values"),
            Rule::Not(part) => {
                let before = self.told.len();
                let fits = self.is_fit(*part, value)?;
                self.told.truncate(before);
                if fits { self.fail("must NOT be valid") } else { Ok(()) }
            }
            Rule::AnyOf(parts) => self.any_of(parts, value),
            Rule::OneOf(parts) => self.one_of(parts, value),
            Rule::AllOf(parts) => parts.iter().try_for_each(|part| self.apply(*part, value)),
            Rule::If { condition, then, otherwise } => {
                let before = self.told.len();
                let fits = self.is_fit(*condition, value)?;
                self.told.truncate(before);
                let (branch, name) = if fits { (then, "then") } else { (otherwise, "else") };
                let Some(branch) = branch else { return Ok(()) };
                let outcome = self.apply(*branch, value);
                if outcome == Err(Wrong::Unfit) && self.is_alternative {
                    self.tell(&format!("must match \"{name}\" schema"));
                }
                outcome
            }
            Rule::NeedsSchema(name, part) if value.get(name).is_some() => self.apply(*part, value),
            _ => match value {
                Value::Number(number) => self.number(rule, number),
                Value::String(_) => self.text(rule, value),
                Value::Array(items) => self.array(rule, items),
                Value::Object(members) => self.object(rule, members),
                _ => Ok(()),
            },
        }
    }

    fn number(&mut self, rule: &Rule, number: &Number) -> Outcome {
        match rule {
            Rule::Range(bound, limit) if !bound.holds(number::compare(number, limit)) => {
                self.fail(&format!("must be {} {}", bound.sign(), number::text(limit)))
            }
            Rule::MultipleOf(of) if !number::is_multiple(number, of) => {
                self.fail(&format!("must be multiple of {}", number::text(of)))
            }
            _ => Ok(()),
        }
    }

    fn text(&mut self, rule: &Rule, value: &Value) -> Outcome {
        let text = value.as_str().unwrap_or_default();
        self.spend(text_weight(text))?;
        match rule {
            Rule::MaxLength(max) if text.chars().count() > *max => {
                self.fail(&format!("must NOT have more than {max} characters"))
            }
            Rule::MinLength(min) if text.chars().count() < *min => {
                self.fail(&format!("must NOT have fewer than {min} characters"))
            }
            Rule::Text(wanted, message) if !wanted.fits(value) => self.fail(message),
            _ => Ok(()),
        }
    }

    fn any_of(&mut self, parts: &[Part], value: &mut Value) -> Outcome {
        let before = self.told.len();
        for part in parts {
            if self.is_fit(*part, value)? {
                self.told.truncate(before);
                return Ok(());
            }
        }
        self.fail_as_well("must match a schema in anyOf")
    }

    fn one_of(&mut self, parts: &[Part], value: &mut Value) -> Outcome {
        let before = self.told.len();
        let mut fits = false;
        for part in parts {
            if self.is_fit(*part, value)? {
                // the others do not matter any more
                if std::mem::replace(&mut fits, true) {
                    fits = false;
                    break;
                }
            }
        }
        if !fits {
            return self.fail_as_well("must match exactly one schema in oneOf");
        }
        self.told.truncate(before);
        Ok(())
    }

    /// Whether the value fits a schema that it need not fit. What is told of it stays.
    pub(super) fn is_fit(&mut self, part: Part, value: &mut Value) -> Result<bool, Wrong> {
        let was = std::mem::replace(&mut self.is_alternative, true);
        let outcome = self.apply(part, value);
        self.is_alternative = was;
        match outcome {
            Ok(()) => Ok(true),
            Err(Wrong::Unfit) => Ok(false),
            Err(Wrong::TooMuch) => Err(Wrong::TooMuch),
        }
    }

    /// Applies what is a beginning of its own: see [`Rule::Ref`].
    fn apart(&mut self, part: Part, value: &mut Value) -> Outcome {
        let was = std::mem::replace(&mut self.is_alternative, false);
        let before = std::mem::take(&mut self.told);
        let outcome = self.apply(part, value);
        self.is_alternative = was;
        let told = std::mem::replace(&mut self.told, before);
        if !told.is_empty() {
            self.add(&["", &told]);
        }
        outcome
    }

    /// Applies a schema to what is one step further down.
    pub(super) fn within(&mut self, step: &str, part: Part, value: &mut Value) -> Outcome {
        self.spend(text_weight(step))?;
        let before = self.path.len();
        self.path.push('/');
        self.path.push_str(&escaped(step));
        let outcome = self.apply(part, value);
        self.path.truncate(before);
        outcome
    }

    /// What is wrong here, and nothing else unless this is an alternative.
    pub(super) fn fail(&mut self, message: &str) -> Outcome {
        if !self.is_alternative {
            self.told.clear();
        }
        self.fail_as_well(message)
    }

    /// What is wrong here, besides what was told already.
    pub(super) fn fail_as_well(&mut self, message: &str) -> Outcome {
        self.tell(message);
        Err(Wrong::Unfit)
    }

    fn tell(&mut self, message: &str) {
        let path = std::mem::take(&mut self.path);
        self.add(&[&path, message]);
        self.path = path;
    }

    fn add(&mut self, parts: &[&str]) {
        if self.told.len() >= LONGEST {
            return;
        }
        if !self.told.is_empty() {
            self.told.push_str(", ");
        }
        for part in parts {
            self.told.push_str(&part[..part.floor_char_boundary(LONGEST)]);
        }
        if self.told.len() > LONGEST {
            self.told.truncate(self.told.floor_char_boundary(LONGEST));
            self.told.push('…');
        }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Outcome {
        self.steps = self.steps.checked_sub(steps).ok_or(Wrong::TooMuch)?;
        Ok(())
    }
}
