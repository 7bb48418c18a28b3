//! [`Inside`]: what is inside of an error, which may be an error itself.

use std::error::Error;

/// What is inside of an error. Whether it is one itself shows where its type is known:
/// if it is not, [`NoError`] answers.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "errors make it")]
pub struct Inside<'a, T>(pub &'a T);

impl<'a, E: Error + 'static> Inside<'a, E> {
    /// The error.
    #[must_use]
    pub fn source(&self) -> Option<&'a (dyn Error + 'static)> {
        Some(self.0)
    }
}

/// What is none.
pub trait NoError {
    /// There is no error.
    fn source(&self) -> Option<&'static (dyn Error + 'static)> {
        None
    }
}

impl<T> NoError for Inside<'_, T> {}
