//! [`Place`]: where in a schema a keyword stands, and what its value must be.

use super::{BadSchema, compile::IsAlternative, number, ordered::Ordered, text::Text};
use serde_json::Number;

/// A keyword, and where it stands.
pub(super) struct Place<'a, 'p> {
    pub(super) schema: &'a Ordered,
    pub(super) place: &'p str,
    pub(super) keyword: &'static str,
    pub(super) within: IsAlternative,
}

impl Place<'_, '_> {
    pub(super) fn here(&self) -> String {
        format!("{}/{}", self.place, self.keyword)
    }

    pub(super) fn bad(&self, why: &str) -> BadSchema {
        BadSchema::new(self.here(), why)
    }

    pub(super) fn number(&self, value: &Ordered) -> Result<Number, BadSchema> {
        value.as_number().cloned().ok_or_else(|| self.bad("it is no number"))
    }

    pub(super) fn count(&self, value: &Ordered) -> Result<usize, BadSchema> {
        let count = value.as_number().and_then(number::whole);
        count.and_then(|count| usize::try_from(count).ok()).ok_or_else(|| self.bad("nothing has so many"))
    }

    pub(super) fn text<'v>(&self, value: &'v Ordered) -> Result<&'v str, BadSchema> {
        value.as_str().ok_or_else(|| self.bad("it is no text"))
    }

    pub(super) fn pattern(&self, pattern: &str) -> Result<Text, BadSchema> {
        Text::pattern(pattern).ok_or_else(|| {
            self.bad(&format!("`{pattern}` is no pattern, or one with look-around or references back"))
        })
    }
}
