//! [`Text`]: patterns and formats, which jsonschema knows.

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};

/// What a text must be like.
#[derive(Debug)]
pub(super) struct Text(Validator);

impl Text {
    /// Some of it matches the pattern; `None` for one that cannot be searched for.
    pub(super) fn pattern(pattern: &str) -> Option<Self> {
        Self::new(&json!({"pattern": pattern}))
    }

    /// All of it is of the format; `None` for one that is not known.
    pub(super) fn format(format: &str) -> Option<Self> {
        let is_known = jsonschema::options().is_known_format(Draft::Draft7, format);
        is_known.then(|| Self::new(&json!({"format": format})))?
    }

    fn new(schema: &Value) -> Option<Self> {
        let options = jsonschema::options()
            .with_draft(Draft::Draft7)
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex());
        options.build(schema).ok().map(Self)
    }

    /// Whether a value, if it is text, is like that.
    pub(super) fn fits(&self, text: &Value) -> bool {
        self.0.is_valid(text)
    }
}
