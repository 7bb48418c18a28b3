//! [`Check`]: arguments, against what their schema says beyond their type.
//!
//! Whether there is anything to check is decided once, when a procedure is
//! registered (`check/constraints.rs`): one whose type alone decides has no check around it
//! and pays nothing. The check comes after guards, middleware and extractors, so
//! nobody learns of arguments who may not call.

mod constraints;
#[cfg(feature = "validate")]
mod given;
#[cfg(feature = "validate")]
mod meter;
#[cfg(feature = "validate")]
mod plan;
#[cfg(feature = "validate")]
mod tree;
#[cfg(feature = "validate")]
mod violations;

#[cfg(feature = "validate")]
use crate::args;
use crate::{
    args::{Asked, Step},
    call::Call,
    coerce::Coercion,
    fault::Fault,
    payload::Payload,
    procedure::{BoxRunning, Procedure},
    registration::Registration,
    schema::Schemas,
    signature::Signature,
    states::States,
};
use schemars::Schema;
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt, sync::Arc};
#[cfg(feature = "validate")]
use {
    self::tree::{Node, Tree, Unread},
    serde::de::IgnoredAny,
};

/// Bytes of arguments in which violations are looked for one by one, all of which are
/// kept while they are.
#[cfg(feature = "validate")]
const LONGEST_EXPLAINED: usize = 64 << 10;

/// What arguments are checked against before a handler gets them.
///
/// Made where a procedure is registered whose schema says more than its type.
pub struct Check {
    #[cfg(feature = "validate")]
    validator: jsonschema::Validator<tree::Borrowed>,
    /// Allows most of what is allowed, and sooner.
    #[cfg(feature = "validate")]
    plan: Option<plan::Plan>,
    /// Says what is wrong, where that could take long.
    #[cfg(feature = "validate")]
    metered: Option<jsonschema::Validator<tree::Borrowed>>,
    #[cfg(feature = "validate")]
    places: given::Places,
    /// There is none without the feature.
    #[cfg(not(feature = "validate"))]
    never: std::convert::Infallible,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check of arguments")
    }
}

/// A procedure whose arguments are checked; or cannot be, and why.
struct Checked {
    inner: Arc<dyn Procedure>,
    check: Result<Check, String>,
    /// Whether the schema was written by hand.
    by_hand: bool,
}

/// The procedure of a registration, with a check around it if there is need of one.
pub(crate) fn around(registration: &Registration) -> Arc<dyn Procedure> {
    let inner = registration.procedure.clone();
    if registration.unchecked {
        return inner;
    }
    let mut schemas = Schemas::default();
    let Signature { args, positions, .. } = inner.signature(&mut schemas);
    let definitions = schemas.finish(std::iter::empty());
    let (schema, why) = match &registration.details.args_schema {
        Some(by_hand) if *by_hand == true => return inner,
        Some(by_hand) => (by_hand.clone(), "which was written by hand".to_owned()),
        None => {
            let found = constraints::find(&args, &definitions, &|path| inner.asked(path));
            let Some(first) = &found.first else { return inner };
            (found.closed(&args, &definitions), format!("which says more than their type at `{first}`"))
        }
    };
    let check = Check::new(&schema, &why, &names(&args, &definitions, &positions));
    Arc::new(Checked { inner, check, by_hand: registration.details.args_schema.is_some() })
}

#[cfg(feature = "validate")]
impl Check {
    fn new(schema: &Schema, _why: &str, names: &[&'static str]) -> Result<Self, String> {
        let schema = schema.as_value();
        let options = jsonschema::options_for::<tree::Borrowed>()
            .with_keyword(meter::KEYWORD, |_, _, _| Ok(Box::new(meter::Meter)))
            .offline()
            .should_validate_formats(false)
            .with_pattern_options(jsonschema::PatternOptions::regex());
        let compiled = |schema: &Value| {
            options.build(schema).map_err(|error| {
                format!("the schema of its arguments is not valid at `{}`: {error}", error.instance_path())
            })
        };
        let validator = compiled(schema)?;
        let metered = meter::metered(schema).map(|schema| compiled(&schema)).transpose()?;
        let places = given::Places::new(schema, names);
        let plan = plan::Plan::new(schema, places.names(), &|part| compiled(part).ok());
        Ok(Self { validator, plan, metered, places })
    }

    /// Refuses arguments that their schema does not allow, and that nobody has read yet.
    pub(crate) fn pass(&self, args: Option<Payload<'_>>) -> Result<(), Fault> {
        match args {
            Some(args) if args.decode::<IgnoredAny>().is_err() => Err(violations::malformed()),
            Some(args) => self.pass_as(args),
            None if given::NOTHING.iter().any(|it| self.pass_as(*it).is_ok()) => Ok(()),
            None => self.pass_as(given::NOTHING[0]),
        }
    }

    /// Refuses arguments that their schema does not allow as what they were read as.
    pub(crate) fn pass_as(&self, args: Payload<'_>) -> Result<(), Fault> {
        let Payload::Json(text) = args;
        if self.plan.as_ref().is_some_and(|plan| plan.allows(text)) {
            return Ok(());
        }
        match Tree::read(text, self.places.names()) {
            Ok(tree) if self.validator.is_valid(tree.root()) => Ok(()),
            Ok(tree) => Err(self.refused(text, tree.root())),
            Err(Unread::Unfit) => Err(violations::unreadable()),
            // which of them counts is up to whoever reads them
            Err(Unread::Twice) => Err(violations::twice()),
        }
    }

    /// What is wrong with arguments that their type has refused: all of it, if the
    /// schema knows better than the type what that is.
    #[cold]
    pub(crate) fn explain(&self, args: Option<Payload<'_>>, unfit: Fault) -> Fault {
        let args = args.unwrap_or(given::NOTHING[0]);
        // a value that is not a list may be given in one
        let only = args::only(args).filter(|_| self.places.are_nameless());
        [Some(args), only]
            .into_iter()
            .flatten()
            .map(|args| self.pass(Some(args)))
            .reduce(|whole, only| if whole.is_ok() { whole } else { only })
            .and_then(Result::err)
            .unwrap_or(unfit)
    }

    #[cold]
    fn refused(&self, text: &str, value: Node<'_>) -> Fault {
        let validator = self.metered.as_ref().unwrap_or(&self.validator);
        let explain = || violations::Violations::of(value, validator).fault();
        match text.len() <= LONGEST_EXPLAINED {
            true => meter::Meter::within(LONGEST_EXPLAINED, explain).unwrap_or_else(violations::too_long),
            false => violations::too_long(),
        }
    }
}

#[cfg(not(feature = "validate"))]
impl Check {
    fn new(_schema: &Schema, why: &str, _names: &[&'static str]) -> Result<Self, String> {
        Err(format!(
            "nothing checks its arguments against their schema, {why}: turn on the feature `validate`, or say \
             `.unchecked()` where it is registered"
        ))
    }

    pub(crate) fn pass(&self, _args: Option<Payload<'_>>) -> Result<(), Fault> {
        match self.never {}
    }

    pub(crate) fn pass_as(&self, _args: Payload<'_>) -> Result<(), Fault> {
        match self.never {}
    }

    pub(crate) fn explain(&self, _args: Option<Payload<'_>>, _unfit: Fault) -> Fault {
        match self.never {}
    }
}

/// The names of arguments in the order in which a list of them is read, without aliases.
fn names(
    args: &Schema,
    definitions: &Map<String, Value>,
    positions: &[Cow<'static, str>],
) -> Vec<&'static str> {
    let properties = constraints::properties(args, definitions);
    let known = |name: &&str| properties.as_ref().is_some_and(|properties| properties.contains_key(*name));
    let own = positions.iter().filter_map(|name| match name {
        Cow::Borrowed(name) => Some(*name),
        // of no type of this program
        Cow::Owned(_) => None,
    });
    own.filter(known).collect()
}

impl Procedure for Checked {
    fn start(&self, call: &Call<'_>) -> Result<BoxRunning, Fault> {
        if self.by_hand
            && let Some(coercion) = call.states.get::<Coercion>()
            && let Some(started) = coercion.start(&*self.inner, call)
        {
            return started;
        }
        match &self.check {
            Ok(check) => self.inner.start_checked(call, check),
            Err(why) => Err(Fault::internal(why.as_str())),
        }
    }

    fn asked(&self, path: &[Step<'_>]) -> (Asked, bool) {
        self.inner.asked(path)
    }

    fn check(&self, states: &States) -> Result<(), String> {
        self.check.as_ref().map_err(String::clone)?;
        self.inner.check(states)
    }

    fn signature(&self, schemas: &mut Schemas) -> Signature {
        self.inner.signature(schemas)
    }

    fn streams(&self) -> bool {
        self.inner.streams()
    }

    fn takes_stream(&self) -> bool {
        self.inner.takes_stream()
    }
}

#[cfg(test)]
mod tests;
