//! The wrapper that serves what implements a trait.

use super::{contract::Contract, method::Method, returns::Returns};
use crate::notes;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

/// The wrapper, and how it provides its procedures.
pub(super) fn of(contract: &Contract) -> (TokenStream, TokenStream) {
    let (vis, ident) = (&contract.item.vis, &contract.item.ident);
    let wrapper = format_ident!("{ident}Service");
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
        impl<S: #ident> #wrapper<S> {
            /// Serves `service`.
            #vis fn new(service: S) -> Self {
                Self::shared(::std::sync::Arc::new(service))
            }

            /// Serves what others hold as well.
            #vis fn shared(service: ::std::sync::Arc<S>) -> Self {
                Self { service }
            }
        }

        #(#conditions)*
        impl<S> ::core::clone::Clone for #wrapper<S> {
            fn clone(&self) -> Self {
                Self { service: ::std::sync::Arc::clone(&self.service) }
            }
        }

        #(#conditions)*
        #[allow(deprecated, clippy::all, reason = "what is deprecated is served all the same")]
        impl<S: #ident> ::trunkline::Provide for #wrapper<S>
        where
            #bounds
        {
            #[track_caller]
            fn provide(self, router: ::trunkline::Router) -> ::trunkline::Router {
                #(#procedures)*
                router
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
    let extracted: Vec<Ident> = (0..kinds.len()).map(|at| format_ident!("extracted_{at}")).collect();
    let given = method.taken.in_order(
        |it| {
            let field = &it.ident;
            quote!(args.#field)
        },
        |_| quote!(incoming),
    );
    let incoming = method.taken.stream.iter().map(|(_, stream)| {
        let kind = stream.incoming();
        quote!(incoming: #kind,)
    });
    let args = method.args();
    let called = quote!(<S as #of>::#ident(&*service #(, #extracted)* #(, #given)*).await);
    let body = match &method.returns {
        Returns::One(value) => value.wrapped(&called),
        Returns::Many { item, opening } => {
            let item = item.wrapped(&quote!(item));
            let stream = match opening {
                Some(_) => quote!(#called.map_err(::core::convert::Into::<::trunkline::Fault>::into)?),
                None => called,
            };
            quote! {
                ::trunkline::__private::Lent::open(move |lender| async move {
                    let stream = #stream;
                    lender.lend(stream, |item| #item).await
                })
                .await
            }
        }
    };
    quote! {
        #(#conditions)*
        let router = {
            let service = ::std::sync::Arc::clone(&self.service);
            let procedure = ::trunkline::handler(move |#(#extracted: #kinds,)* #(#incoming)* args: #args| {
                let service = ::std::sync::Arc::clone(&service);
                async move {
                    let _ = &args;
                    #body
                }
            });
            router.procedure(#name, procedure #described #said #faults)
        };
    }
}
