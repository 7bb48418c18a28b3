//! `#[service]`: a trait becomes the contract of a service.

mod argument;
mod client;
mod contract;
mod method;
mod names;
mod returns;
mod said;
mod wrapper;

use self::contract::Contract;
use crate::setting::Settings;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemTrait, Result, parse::Parser};

/// The trait as it is implemented, its client and its wrapper. Where something is
/// wrong with it the trait is there all the same, so that no complaints follow from
/// its absence.
pub(crate) fn expand(settings: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let item = a_trait(item)?;
    let read = Settings::parse_terminated.parse2(settings);
    let made = read.and_then(|settings| Contract::read(&settings, item.clone())).map(|it| made(&it));
    Ok(made.unwrap_or_else(|error| {
        let (error, item) = (error.into_compile_error(), contract::unmarked(item));
        quote!(#item #error)
    }))
}

fn made(contract: &Contract) -> TokenStream {
    let (definition, structs, checks) = (contract.definition(), contract.structs(), contract.checks());
    let (client, calls) = client::of(contract);
    let (wrapper, provides) = wrapper::of(contract);
    let facade = &contract.names.facade;
    quote! {
        #definition
        #client
        #wrapper
        #[allow(deprecated, clippy::all, reason = "it is made, and what is deprecated is served all the same")]
        const _: () = {
            #[allow(unused_imports, reason = "a contract may have no methods yet")]
            use #facade as __trunkline;

            #structs
            #calls
            #provides
            #checks
        };
    }
}

fn a_trait(item: TokenStream) -> Result<ItemTrait> {
    match syn::parse2::<Item>(item)? {
        Item::Trait(item) => Ok(item),
        other => Err(syn::Error::new_spanned(
            other,
            "`#[trunkline::service]` stands on a trait, the contract that both sides share; \
             what implements it is served by the wrapper that this makes",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunkline_is_looked_for_where_it_is_said_to_be() {
        let item = quote! {
            trait Rooms {
                async fn join(&self, #[extract] by: Context, #[arg(default = 1)] seats: u8) -> Result<u8, Full>;
                async fn each(&self) -> Result<impl Stream<Item = u8>, Full>;
                #[procedure(notification, timeout = 5)]
                async fn leave(&self);
            }
        };
        for (settings, elsewhere) in [(quote!(crate = "rpc"), true), (quote!(), false)] {
            let made = expand(settings, item.clone()).unwrap().to_string();
            assert_eq!(made.contains("use rpc as __trunkline ;"), elsewhere, "{made}");
            assert_eq!(made.contains(":: trunkline :: Client"), !elsewhere, "{made}");
            assert_eq!(made.contains(":: trunkline"), !elsewhere, "{made}");
        }
    }
}
