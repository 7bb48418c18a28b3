//! [`once`]: the first of each thing that is said.

use proc_macro2::TokenStream;
use std::collections::HashSet;

/// The first of each of what is said.
pub(crate) fn once(said: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let mut seen = HashSet::new();
    said.into_iter().filter(|it| seen.insert(it.to_string())).collect()
}
