//! [`Draft7`]: what JSON Schema 2020-12 says, as draft 7 says it.

use trunkline_core::schemars::{
    Schema,
    transform::{RemoveRefSiblings, ReplacePrefixItems, ReplaceUnevaluatedProperties, Transform},
};

/// Turns a schema of 2020-12 into one of draft 7, as far as types use it.
#[derive(Clone, Debug)]
pub(super) struct Draft7;

impl Transform for Draft7 {
    fn transform(&mut self, schema: &mut Schema) {
        ReplaceUnevaluatedProperties::default().transform(schema);
        RemoveRefSiblings::default().transform(schema);
        ReplacePrefixItems::default().transform(schema);
    }
}
