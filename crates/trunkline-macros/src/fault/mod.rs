//! `#[derive(Fault)]`: an error that crosses to callers by name, and comes back as what it was.

mod message;
mod said;
mod variant;

use self::variant::Variant;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Result, spanned::Spanned};

/// The conversions to and from a fault, and `Display` if the messages are said here.
pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    if let Some(it) = item.generics.params.first() {
        return Err(Error::new(
            it.span(),
            "what callers are told has one type: use concrete types in place of generics",
        ));
    }
    let variants = variants(&item)?;
    one_name_each(&variants)?;
    let display = display(&item, &variants)?;
    let ident = &item.ident;
    let bounds: TokenStream = variants.iter().filter_map(Variant::bounds).collect();
    let asked = variants.iter().filter_map(Variant::asked);
    let structs = variants.iter().filter_map(Variant::structure);
    let told = variants.iter().map(Variant::told);
    let known = variants.iter().filter_map(Variant::known);
    let faults = variants.iter().filter_map(Variant::example);
    Ok(quote! {
        const _: () = {
            #(#structs)*

            #[allow(dead_code, reason = "it is enough that it compiles")]
            fn __checks() { #(#asked)* }

            #display

            #[automatically_derived]
            #[allow(non_shorthand_field_patterns, reason = "a tuple's fields are numbers")]
            impl ::core::convert::From<#ident> for ::trunkline::Fault
            where
                #bounds
            {
                fn from(error: #ident) -> Self {
                    let message = <#ident as ::trunkline::__private::Message>::message(&error);
                    match error {
                        #(#told)*
                    }
                }
            }

            #[automatically_derived]
            impl ::core::convert::TryFrom<::trunkline::Fault> for #ident
            where
                #bounds
            {
                type Error = ::trunkline::Fault;

                fn try_from(fault: ::trunkline::Fault) -> ::core::result::Result<Self, ::trunkline::Fault> {
                    let error = match fault.name().as_deref() {
                        #(#known)*
                        _ => ::core::option::Option::None,
                    };
                    error.ok_or(fault)
                }
            }

            #[automatically_derived]
            impl ::trunkline::TypedFault for #ident
            where
                #bounds
            {
                type Told = ::trunkline::CallError<Self>;

                fn told(fault: ::trunkline::Fault) -> Self::Told {
                    ::core::convert::From::from(fault)
                }

                fn faults() -> ::std::vec::Vec<::trunkline::Fault> {
                    ::std::vec![#(#faults),*]
                }
            }
        };
    })
}

fn variants(item: &DeriveInput) -> Result<Vec<Variant>> {
    let ident = &item.ident;
    match &item.data {
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|it| {
                let variant = &it.ident;
                Variant::read(quote!(#ident::#variant), variant, &it.attrs, &it.fields)
            })
            .collect(),
        Data::Struct(data) => Ok(vec![Variant::read(quote!(#ident), ident, &item.attrs, &data.fields)?]),
        Data::Union(data) => {
            Err(Error::new(data.union_token.span(), "a union cannot be told: make it an enum"))
        }
    }
}

fn one_name_each(variants: &[Variant]) -> Result<()> {
    for (at, variant) in variants.iter().enumerate() {
        if variants[..at].iter().any(|it| it.name == variant.name) {
            let message = format!(
                "two errors are called `{}`: give one another name, `#[fault(name = \"…\")]`",
                variant.name
            );
            return Err(Error::new(variant.span, message));
        }
    }
    Ok(())
}

/// Messages are said here, all of them, or none: then the type tells them by its own `Display`.
fn display(item: &DeriveInput, variants: &[Variant]) -> Result<Option<TokenStream>> {
    if variants.iter().all(|it| it.said.message.is_none()) && !variants.is_empty() {
        return Ok(None);
    }
    if let Some(silent) = variants.iter().find(|it| it.said.message.is_none()) {
        let message = "this one has no message: say one in `#[fault(\"…\")]` here too, \
                       or nowhere, and implement `Display` (thiserror does)";
        return Err(Error::new(silent.span, message));
    }
    let (ident, arms) = (&item.ident, variants.iter().map(Variant::displayed));
    Ok(Some(quote! {
        #[automatically_derived]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_variables, non_shorthand_field_patterns, reason = "a message names what it likes")]
                match *self {
                    #(#arms)*
                }
            }
        }

        #[automatically_derived]
        impl ::core::error::Error for #ident {}
    }))
}
