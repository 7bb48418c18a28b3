//! `#[service]`: a trait becomes the contract of a service.

mod argument;
mod client;
mod contract;
mod method;
mod returns;
mod said;
mod wrapper;

use self::contract::Contract;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Item, ItemTrait, Result, parse::Parser};

/// The trait as it is implemented, its client and its wrapper.
pub(crate) fn expand(settings: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let settings = crate::setting::Settings::parse_terminated.parse2(settings)?;
    let item = a_trait(item)?;
    let contract = Contract::read(&settings, item)?;
    let (definition, structs, checks) = (contract.definition(), contract.structs(), contract.checks());
    let (client, calls) = client::of(&contract);
    let (wrapper, provides) = wrapper::of(&contract);
    Ok(quote! {
        #definition
        #client
        #wrapper
        const _: () = {
            #structs
            #calls
            #provides
            #checks
        };
    })
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
