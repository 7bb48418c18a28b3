//! [`CheckArgs`]: what is done to the arguments of a call before its procedure has them.

/// Checks the arguments of one procedure, and gives those that it is to have.
pub trait CheckArgs: Send + Sync {
    /// The arguments to go on with, if they are others than those that were given, all
    /// of them as JSON.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with them, as the caller is told behind
    /// `"args" validation failed: `.
    fn check(&self, args: Option<&str>) -> Result<Option<String>, String>;
}
