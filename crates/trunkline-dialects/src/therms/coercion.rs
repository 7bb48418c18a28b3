//! [`Coercion`]: the schemas of a router by which arguments are coerced.

use super::{
    args::{ArgsSchema, BadSchema},
    request::Provenance,
    spelled,
};
use std::{collections::HashMap, fmt};
use trunkline_core::{Call, Fault, FaultKind, OwnedPayload, Payload, Router, coerce::Coerce};

/// The schemas of a router that were written by hand, for [`Router::coercing`]: what
/// clients of this dialect give as arguments is [changed](ArgsSchema) into what they want.
/// `trunkline::Server` does this by itself, where such clients may call.
///
/// A schema without a `type` at its top changes nothing, as in the original, and neither
/// does that of a type: arguments are held to it as anybody's are.
///
/// ```
/// # use serde_json::{Value, json};
/// # use trunkline_core::{Open, Router, handler::handler};
/// use trunkline_dialects::therms::Coercion;
///
/// let wait = handler(async |Open(args): Open<Value>| args["seconds"].as_u64()).args_schema(json!({
///     "type": "object", "properties": {"seconds": {"type": "integer", "default": 3}},
/// }));
/// let router = Router::new().procedure("wait", wait);
/// let coercion = Coercion::of(&router)?;
/// let router = router.coercing(coercion);
/// # Ok::<(), trunkline_dialects::therms::BadArgsSchema>(())
/// ```
pub struct Coercion {
    schemas: HashMap<Box<str>, ArgsSchema>,
}

impl Coercion {
    /// Those of all procedures that the router has by now.
    ///
    /// # Errors
    ///
    /// Fails where one [cannot be used](ArgsSchema::compile), naming the procedure.
    pub fn of(router: &Router) -> Result<Self, BadArgsSchema> {
        let mut schemas = HashMap::new();
        for (name, schema) in router.schemas_by_hand() {
            let bad = |schema| BadArgsSchema { procedure: name.into(), schema };
            let schema = ArgsSchema::compile(schema.as_value()).map_err(bad)?;
            if schema.is_applied() {
                schemas.insert(name.into(), schema);
            }
        }
        Ok(Self { schemas })
    }
}

impl Coerce for Coercion {
    fn is_for(&self, call: &Call<'_>) -> bool {
        Provenance::of(call.context).is_some_and(|said| !said.is_exact())
            && self.schemas.contains_key(call.procedure)
    }

    fn coerce(&self, call: &Call<'_>) -> Result<Option<OwnedPayload>, Fault> {
        let Some(schema) = self.schemas.get(call.procedure) else { return Ok(None) };
        let given = match call.args {
            Some(Payload::Json(given)) => Some(given),
            _ => None,
        };
        let unread = |error: serde_json::Error| refused(&format!("must be readable: {error}"));
        let mut changed = given.map(serde_json::from_str).transpose().map_err(unread)?;
        schema.check(&mut changed).map_err(|why| refused(&why))?;
        let spelled = given.zip(changed).map(|(given, changed)| spelled::again(given, &changed));
        Ok(spelled.map(|args| OwnedPayload::Json(args.into())))
    }
}

/// What is told of arguments that will not do, in the words of therms.
fn refused(why: &str) -> Fault {
    Fault::new(FaultKind::InvalidArgs, "Invalid params").with_data(why)
}

impl fmt::Debug for Coercion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.schemas.keys()).finish()
    }
}

/// A schema that was written by hand cannot be used in this dialect.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "procedure `{procedure}`: {schema}; clients of @therms are answered by schemas of JSON Schema draft-07, so \
     write it in that, or say `.unchecked()` where it is registered"
)]
pub struct BadArgsSchema {
    procedure: Box<str>,
    schema: BadSchema,
}

impl BadArgsSchema {
    /// The procedure whose schema it is.
    #[must_use]
    pub fn procedure(&self) -> &str {
        &self.procedure
    }
}
