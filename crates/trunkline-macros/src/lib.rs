//! The macros of trunkline: they save typing, and nothing needs them.
//!
//! Use them by way of the crate `trunkline`, whose paths the code that they make
//! refers to, and whose documentation shows them.

mod bare;
mod duration;
mod fault;
mod nearest;
mod notes;
mod once;
mod owned;
mod service;
mod setting;

use proc_macro::TokenStream;

/// Makes a trait the contract of a service: a typed client for one side, a
/// wrapper that serves an implementation for the other.
#[proc_macro_attribute]
pub fn service(settings: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(settings.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lets an error cross to callers by name, and come back as what it was.
#[proc_macro_derive(Fault, attributes(fault))]
pub fn fault(item: TokenStream) -> TokenStream {
    fault::expand(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
