//! [`Coerce`]: what a dialect makes of arguments before they are decoded.

use crate::{
    call::Call,
    fault::Fault,
    payload::OwnedPayload,
    procedure::{BoxRunning, Procedure},
    router::Router,
};
use schemars::Schema;
use std::sync::Arc;

/// Changes arguments into what a schema that was written by hand wants, or refuses them:
/// in place of the [check](crate::Check) that there is otherwise, for the calls that are
/// in a dialect which has it so.
///
/// It is asked where a check would be, behind guards and middleware.
pub trait Coerce: Send + Sync + 'static {
    /// Whether it has a say in this call, whose procedure has such a schema.
    fn is_for(&self, call: &Call<'_>) -> bool;

    /// The arguments that the handler gets, if they are others than those that were given.
    ///
    /// # Errors
    ///
    /// Fails with what the caller is told of arguments that will not do.
    fn coerce(&self, call: &Call<'_>) -> Result<Option<OwnedPayload>, Fault>;
}

/// What a router has of it, among its states.
pub(crate) struct Coercion(Box<dyn Coerce>);

impl Coercion {
    /// Starts a call of `procedure`, if it has a say in that.
    pub(crate) fn start(
        &self,
        procedure: &dyn Procedure,
        call: &Call<'_>,
    ) -> Option<Result<BoxRunning, Fault>> {
        self.0.is_for(call).then(|| match self.0.coerce(call)? {
            Some(args) => procedure.start(&Call { args: Some(args.borrow()), ..*call }),
            None => procedure.start(call),
        })
    }
}

impl Router {
    /// Coerces arguments of procedures whose schema was written by hand. Servers that speak
    /// such a dialect do this by themselves.
    #[must_use]
    pub fn coercing(self, coerce: impl Coerce) -> Self {
        self.shared_state(Arc::new(Coercion(Box::new(coerce))))
    }

    /// The schemas that were written by hand, by the names of their procedures, where
    /// arguments are to be held to them.
    pub fn schemas_by_hand(&self) -> impl Iterator<Item = (&str, &Schema)> {
        self.named()
            .filter(|(_, route)| !route.registration.unchecked)
            .filter_map(|(name, route)| Some((name, route.registration.details.args_schema.as_ref()?)))
    }
}
