//! [`Provide`]: several procedures that come as one thing.

use crate::router::Router;

/// Several procedures that come as one thing, given to a router by
/// [`Router::service`].
///
/// `#[trunkline::service]` on a trait makes one of every implementation of it;
/// without the macro it is a few lines:
///
/// ```
/// use std::sync::Arc;
/// use trunkline_core::{Provide, Router};
///
/// struct Greeter { greeting: String }
///
/// impl Provide for Greeter {
///     #[track_caller]
///     fn provide(self, router: Router) -> Router {
///         let greeter = Arc::new(self);
///         router.procedure("greet", move |name: String| {
///             let greeter = greeter.clone();
///             async move { format!("{}, {name}", greeter.greeting) }
///         })
///     }
/// }
///
/// let router = Router::new().service(Greeter { greeting: "Hello".into() });
/// assert!(router.find("greet").is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    label = "not a service",
    note = "a trait `Math` with `#[trunkline::service]` has a wrapper for what implements it:",
    note = "`.service(MathService::new(my_math))`"
)]
pub trait Provide {
    /// Adds its procedures to `router`.
    ///
    /// # Panics
    ///
    /// Panics if one of their names is taken.
    #[must_use]
    #[track_caller]
    fn provide(self, router: Router) -> Router;
}
