//! The typed client of a trait.

use super::{contract::Contract, method::Method, returns::Returns};
use crate::notes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

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
    let taken = method.taken.in_order(
        |it| {
            let (ident, kind) = (&it.ident, &it.kind);
            quote!(#ident: #kind)
        },
        |stream| {
            let (ident, kind) = (&stream.ident, stream.item.whole());
            quote! {
                #ident: impl __trunkline::__private::Stream<Item = #kind> + ::core::marker::Send + 'static
            }
        },
    );
    // what comes behind the arguments, and with what the method of `Calls` is told apart
    let (items, sending) = match &method.taken.stream {
        Some((_, stream)) => {
            let items = stream.item.sent(&stream.ident);
            (quote!(, #items), "_sending")
        }
        None => (TokenStream::new(), ""),
    };
    let (call_it, stream_it) = (format_ident!("call{sending}"), format_ident!("stream{sending}"));
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
                quote!(__trunkline::Calls::#call_it::<#decoded>(&self.calls, #name, #args #items, #timeout).await #telling),
            )
        }
        Returns::Many { item, .. } => {
            let (decoded, error) = (item.decoded(), told.unwrap_or(fault));
            (
                quote!(__C::Stream<#decoded>, #error),
                quote!(__trunkline::Calls::#stream_it::<#decoded>(&self.calls, #name, #args #items, #timeout).await #telling),
            )
        }
    };
    quote! {
        #(#kept)*
        #(#deprecated)*
        #[allow(missing_docs, reason = "the trait says what it does")]
        #vis async fn #ident(&self, #(#taken),*) -> ::core::result::Result<#gives> {
            #call
        }
    }
}
