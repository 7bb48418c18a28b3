//! The typed client of a trait.

use super::{contract::Contract, method::Method, returns::Returns};
use crate::notes;
use proc_macro2::TokenStream;
use quote::quote;

/// The client, and its methods.
pub(super) fn of(contract: &Contract) -> (TokenStream, TokenStream) {
    let (vis, client, facade) = (&contract.item.vis, &contract.names.client, &contract.names.facade);
    let about = contract.about("Calls the procedures of a [`{}`], wherever it is.");
    let new = contract.about("A client of the [`{}`] that `calls` reaches.");
    let methods = contract.methods.iter().map(|method| call(method, vis));
    let (conditions, bounds) = (notes::conditions(&contract.item.attrs), contract.bounds());
    let definition = quote! {
        #(#conditions)*
        #[doc = #about]
        #[derive(Clone, Debug)]
        #[must_use]
        #vis struct #client<C = #facade::Client> {
            calls: C,
        }
    };
    let calls = quote! {
        #(#conditions)*
        #[allow(dead_code, reason = "callers call what they need")]
        impl<__C: __trunkline::Calls> #client<__C>
        where
            #bounds
        {
            #[doc = #new]
            #vis fn new(calls: __C) -> Self {
                Self { calls }
            }
            #(#methods)*
        }
    };
    (definition, calls)
}

fn call(method: &Method, vis: &syn::Visibility) -> TokenStream {
    let name = &method.name;
    let ident = &method.item.sig.ident;
    let kept =
        method.item.attrs.iter().filter(|it| ["doc", "cfg"].iter().any(|name| it.path().is_ident(name)));
    let deprecated = method.said.deprecated.iter().map(|note| quote!(#[deprecated(note = #note)]));
    let idents: Vec<_> = method.taken.arguments.iter().map(|it| &it.ident).collect();
    let kinds = method.taken.arguments.iter().map(|it| &it.kind);
    let args = match &method.args {
        Some(args) => quote!(#args { #(#idents),* }),
        None => quote!(__trunkline::__private::NoArgs {}),
    };
    let fault = quote!(__trunkline::Fault);
    let told = method.returns.error().map(|error| quote!(<#error as __trunkline::TypedFault>::Told));
    let telling =
        method.returns.error().map(|error| quote!(.map_err(<#error as __trunkline::TypedFault>::told)));
    let timeout = match method.said.timeout {
        Some(millis) => quote!(::core::option::Option::Some(::core::time::Duration::from_millis(#millis))),
        None => quote!(::core::option::Option::None),
    };
    let (gives, call) = match &method.returns {
        Returns::One(_) if method.said.notification => {
            (quote!((), #fault), quote!(__trunkline::Calls::notify(&self.calls, #name, #args).await))
        }
        Returns::One(value) => {
            let (decoded, error) = (value.decoded(), told.unwrap_or(fault));
            (
                quote!(#decoded, #error),
                quote!(__trunkline::Calls::call::<#decoded>(&self.calls, #name, #args, #timeout).await #telling),
            )
        }
        Returns::Many { item, .. } => {
            let (decoded, error) = (item.decoded(), told.unwrap_or(fault));
            (
                quote!(__C::Stream<#decoded>, #error),
                quote!(__trunkline::Calls::stream::<#decoded>(&self.calls, #name, #args, #timeout).await #telling),
            )
        }
    };
    quote! {
        #(#kept)*
        #(#deprecated)*
        #[allow(missing_docs, reason = "the trait says what it does")]
        #vis async fn #ident(&self, #(#idents: #kinds),*) -> ::core::result::Result<#gives> {
            #call
        }
    }
}
