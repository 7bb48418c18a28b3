//! `#[derive(Fault)]`: an error that crosses to callers by name, and comes back as what it was.

mod message;
mod said;
mod variant;

use self::{
    said::{OF_ENUM, OF_STRUCT, OF_VARIANT, Said},
    variant::Variant,
};
use crate::once::once;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Result, parse_quote};

/// The conversions to and from a fault, and `Display` if the messages are said here.
pub(crate) fn expand(item: TokenStream) -> Result<TokenStream> {
    let item: DeriveInput = syn::parse2(item)?;
    if let Some(it) = item.generics.params.first() {
        return Err(Error::new_spanned(
            it,
            "what callers are told has one type: use concrete types in place of generics",
        ));
    }
    let (facade, variants) = read(&item)?;
    one_name_each(&variants)?;
    let display = display(&item, &variants)?;
    let ident = &item.ident;
    let bounds = once(variants.iter().flat_map(Variant::bounds));
    let asked = once(variants.iter().flat_map(Variant::asked));
    let structs = variants.iter().filter_map(Variant::structure);
    let told = variants.iter().map(Variant::told);
    let known = variants.iter().filter_map(Variant::known);
    let faults = variants.iter().filter_map(Variant::example);
    Ok(quote! {
        #[allow(deprecated, reason = "what is deprecated is told all the same")]
        const _: () = {
            use #facade as __trunkline;

            #(#structs)*

            #[allow(dead_code, reason = "it is enough that it compiles")]
            fn __checks() { #asked }

            #display

            #[automatically_derived]
            impl ::core::convert::From<#ident> for __trunkline::Fault
            where
                #bounds
            {
                fn from(__error: #ident) -> Self {
                    let __message = <#ident as __trunkline::__private::Message>::message(&__error);
                    match __error {
                        #(#told)*
                    }
                }
            }

            #[automatically_derived]
            impl __trunkline::TypedFault for #ident
            where
                #bounds
            {
                type Told = __trunkline::CallError<#ident>;

                fn told(__fault: __trunkline::Fault) -> __trunkline::CallError<#ident> {
                    ::core::convert::From::from(__fault)
                }

                fn from_fault(__fault: __trunkline::Fault) -> ::core::result::Result<Self, __trunkline::Fault> {
                    let __error = match __fault.name().as_deref() {
                        #(#known)*
                        _ => ::core::option::Option::None,
                    };
                    __error.ok_or(__fault)
                }

                fn faults() -> ::std::vec::Vec<__trunkline::Fault> {
                    ::std::vec![#(#faults),*]
                }
            }
        };
    })
}

/// Where what is made finds trunkline, and the errors.
fn read(item: &DeriveInput) -> Result<(Path, Vec<Variant>)> {
    let ident = &item.ident;
    let (facade, variants) = match &item.data {
        Data::Enum(data) => {
            let of_all = Said::read(&item.attrs, OF_ENUM)?;
            if let Some(message) = &of_all.message {
                let mend = "each of the errors has its own message: say it of the variants";
                return Err(Error::new_spanned(message, mend));
            }
            let variants = data.variants.iter().map(|it| {
                let variant = &it.ident;
                Variant::read(quote!(#ident::#variant), variant, &it.attrs, OF_VARIANT, &it.fields)
            });
            (of_all.facade, variants.collect::<Result<Vec<_>>>()?)
        }
        Data::Struct(data) => {
            let mut only = Variant::read(quote!(#ident), ident, &item.attrs, OF_STRUCT, &data.fields)?;
            (only.said.facade.take(), vec![only])
        }
        Data::Union(data) => {
            let message = "a union cannot be told: make it an enum";
            return Err(Error::new_spanned(data.union_token, message));
        }
    };
    Ok((facade.unwrap_or_else(|| parse_quote!(::trunkline)), variants))
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
    let sources: Vec<_> = variants.iter().filter_map(Variant::source).collect();
    let source = (!sources.is_empty()).then(|| {
        quote! {
            fn source(&self) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                #[allow(unused_imports, reason = "it is for what is no error")]
                use __trunkline::__private::NoError as _;
                #[allow(unreachable_patterns, reason = "all of them may have one")]
                match *self {
                    #(#sources)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    });
    Ok(Some(quote! {
        #[automatically_derived]
        impl ::core::fmt::Display for #ident {
            fn fmt(&self, __f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #[allow(unused_variables, reason = "a message names what it likes")]
                match *self {
                    #(#arms)*
                }
            }
        }

        #[automatically_derived]
        impl ::core::error::Error for #ident {
            #source
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trunkline_is_looked_for_where_it_is_said_to_be() {
        let item = quote! {
            enum JoinError {
                #[fault("full: {guests}", code = 1, kind = Forbidden)]
                Full { guests: u8 },
                #[fault("store", internal)]
                Store(Error),
            }
        };
        let renamed = expand(quote!(#[fault(crate = "rpc")] #item)).unwrap().to_string();
        assert!(
            renamed.contains("use rpc as __trunkline ;") && !renamed.contains(":: trunkline"),
            "{renamed}"
        );
        assert!(expand(item).unwrap().to_string().contains("use :: trunkline as __trunkline ;"));
    }
}
