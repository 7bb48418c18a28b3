//! The wrapper that serves what implements a trait.

use super::{contract::Contract, method::Method, returns::Returns};
use crate::notes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, parse_quote};

/// The wrapper, and how it provides its procedures.
pub(super) fn of(contract: &Contract) -> (TokenStream, TokenStream) {
    let (vis, ident) = (&contract.item.vis, &contract.item.ident);
    let wrapper = &contract.names.wrapper;
    let about = contract.about("Serves an implementation of [`{}`]: give it to `Router::service`.");
    let procedures = contract.methods.iter().map(|method| procedure(ident, method));
    let (conditions, bounds) = (notes::conditions(&contract.item.attrs), contract.bounds());
    let definition = quote! {
        #(#conditions)*
        #[doc = #about]
        #[derive(Debug)]
        #[must_use]
        #[allow(dead_code, reason = "one side serves, the other calls")]
        #vis struct #wrapper<S> {
            service: ::std::sync::Arc<S>,
        }
    };
    let provides = quote! {
        #(#conditions)*
        #[allow(dead_code, reason = "one side serves, the other calls")]
        impl<__S: #ident> #wrapper<__S> {
            /// Serves `service`.
            #vis fn new(service: __S) -> Self {
                Self::shared(::std::sync::Arc::new(service))
            }

            /// Serves what others hold as well.
            #vis fn shared(service: ::std::sync::Arc<__S>) -> Self {
                Self { service }
            }
        }

        #(#conditions)*
        impl<__S> ::core::clone::Clone for #wrapper<__S> {
            fn clone(&self) -> Self {
                Self { service: ::std::sync::Arc::clone(&self.service) }
            }
        }

        #(#conditions)*
        impl<__S: #ident> __trunkline::Provide for #wrapper<__S>
        where
            #bounds
        {
            #[track_caller]
            fn provide(self, __router: __trunkline::Router) -> __trunkline::Router {
                #(#procedures)*
                __router
            }
        }
    };
    (definition, provides)
}

fn procedure(of: &Ident, method: &Method) -> TokenStream {
    let (name, ident) = (&method.name, &method.item.sig.ident);
    let conditions = notes::conditions(&method.item.attrs);
    let described = notes::documentation(&method.item.attrs).map(|text| quote!(.description(#text)));
    let said = method.said.registered();
    let faults = method.returns.error().map(|error| quote!(.faults_of::<#error>()));
    let kinds = &method.taken.extractors;
    let extracted: Vec<Ident> = (0..kinds.len()).map(|at| format_ident!("__extracted_{at}")).collect();
    let given = method.taken.in_order(
        |it| {
            let field = &it.ident;
            quote!(__args.#field)
        },
        |_| quote!(__incoming),
    );
    let incoming = method.taken.stream.iter().map(|(_, stream)| {
        let kind = stream.incoming(&parse_quote!(__trunkline));
        quote!(__incoming: #kind,)
    });
    let args = method.args();
    let called = quote!(<__S as #of>::#ident(&*__service #(, #extracted)* #(, #given)*).await);
    let body = match &method.returns {
        Returns::One(value) => value.wrapped(&called),
        Returns::Many { item, opening } => {
            let item = item.wrapped(&quote!(__item));
            let stream = match opening {
                Some(_) => quote!(#called.map_err(::core::convert::Into::<__trunkline::Fault>::into)?),
                None => called,
            };
            quote! {
                __trunkline::__private::Lent::open(move |__lender| async move {
                    let __stream = #stream;
                    __lender.lend(__stream, |__item| #item).await
                })
                .await
            }
        }
    };
    quote! {
        #(#conditions)*
        let __router = {
            let __service = ::std::sync::Arc::clone(&self.service);
            let __procedure = __trunkline::handler(move |#(#extracted: #kinds,)* #(#incoming)* __args: #args| {
                let __service = ::std::sync::Arc::clone(&__service);
                async move {
                    let _ = &__args;
                    #body
                }
            });
            __router.procedure(#name, __procedure #described #said #faults)
        };
    }
}
