//! [`Violations`]: what is wrong with arguments, as it is told to the caller.
//!
//! Nothing of it repeats a value that was given, which may be a secret, and all of
//! it is bounded: the arguments are a stranger's.

use super::tree::{Borrowed, Node};
use crate::fault::{Fault, FaultKind};
use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde::Serialize;

/// So many violations are listed; of others only how many there are is told.
const LISTED: usize = 16;
/// Bytes of each text.
const LONGEST: usize = 200;
/// Choices within choices that are looked into for what is really wrong.
const DEEPEST: usize = 32;

/// What is wrong with arguments.
#[derive(Debug, Default, Serialize)]
pub(super) struct Violations {
    violations: Vec<Violation>,
    /// How many there are besides.
    #[serde(skip_serializing_if = "is_zero")]
    more: usize,
}

/// One thing that is wrong with them.
#[derive(Debug, Serialize)]
struct Violation {
    /// Where in the arguments: a JSON pointer (RFC 6901).
    path: String,
    /// What says so.
    keyword: String,
    /// Where that stands in the schema, as it is reached from its beginning.
    schema: String,
    /// What is wrong.
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Violations {
    /// What is wrong with a value.
    pub(super) fn of(value: Node<'_>, validator: &Validator<Borrowed>) -> Self {
        let mut violations = Self::default();
        for error in validator.iter_errors(value) {
            violations.add(&error, 0);
        }
        violations
    }

    fn add(&mut self, error: &ValidationError<'_>, depth: usize) {
        if let Some(meant) = meant(error).filter(|_| depth < DEEPEST) {
            meant.iter().for_each(|error| self.add(error, depth + 1));
        } else if self.violations.len() < LISTED {
            self.violations.push(Violation::of(error));
        } else {
            self.more += 1;
        }
    }

    /// As it is told to the caller.
    pub(super) fn fault(self) -> Fault {
        let Some(Violation { path, message, .. }) = self.violations.first() else { return too_long() };
        let at = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let more = match self.violations.len() - 1 + self.more {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        Fault::new(FaultKind::InvalidArgs, format!("Invalid params: {at}{message}{more}")).with_data(self)
    }
}

/// What is told of arguments in which it would cost much to say what is wrong.
pub(super) fn too_long() -> Fault {
    untold("they do not fit their schema, and there is too much of them to say where")
}

/// What is told of arguments that cannot be compared with a schema.
pub(super) fn unreadable() -> Fault {
    untold(
        "there are more arguments than names for them, they are nested too deep, or a text or a number in \
         them cannot be held",
    )
}

/// What is told of what is no JSON.
pub(super) fn malformed() -> Fault {
    untold("they are not well-formed")
}

/// What is told of an object that says something twice.
pub(super) fn twice() -> Fault {
    untold("two members of an object have the same name")
}

fn untold(why: &str) -> Fault {
    Fault::new(FaultKind::InvalidArgs, format!("Invalid params: {why}"))
        .with_data(serde_json::json!({"violations": []}))
}

/// What is wrong with the only choice that is of the right kind, if there is one.
fn meant<'e>(error: &'e ValidationError<'_>) -> Option<&'e [ValidationError<'static>]> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        return None;
    };
    let here = error.instance_path().as_str();
    // a choice that wants another type, tag or name is not meant
    let only = |others: &[&str]| {
        let is_meant = |wrong: &&Vec<ValidationError<'static>>| {
            let is_other = |it: &ValidationError<'_>| {
                let keyword = it.kind().keyword();
                keyword == "const" || it.instance_path().as_str() == here && others.contains(&keyword)
            };
            !wrong.is_empty() && !wrong.iter().any(is_other)
        };
        let mut choices = context.iter().filter(is_meant);
        choices.next().filter(|_| choices.next().is_none())
    };
    only(&["type"]).or_else(|| only(&["type", "required", "additionalProperties"])).map(Vec::as_slice)
}

impl Violation {
    fn of(error: &ValidationError<'_>) -> Self {
        let message = match error.kind() {
            ValidationErrorKind::FalseSchema => "is not in the schema, or under another name".to_owned(),
            _ => error.masked().to_string(),
        };
        Self {
            path: cut(error.instance_path().as_str()),
            keyword: error.kind().keyword().to_owned(),
            schema: cut(&super::meter::unmetered(error.evaluation_path().as_str())),
            message: cut(&message),
        }
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        text.to_owned()
    } else {
        format!("{}…", &text[..text.floor_char_boundary(LONGEST)])
    }
}
