//! [`Contract`]: the trait, read and found good.

use super::{
    method::Method,
    returns::{Returns, Value},
    said::Said,
};
use crate::{notes, setting::Settings};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use std::collections::HashMap;
use syn::{Error, ItemTrait, Result, TraitItem, spanned::Spanned};

/// The trait, read and found good.
pub(super) struct Contract {
    pub(super) item: ItemTrait,
    pub(super) methods: Vec<Method>,
}

impl Contract {
    /// Reads a trait; all that is wrong with it is told at once.
    pub(super) fn read(settings: &Settings, mut item: ItemTrait) -> Result<Self> {
        let mut wrong: Option<Error> = None;
        let mut complain = |error: Error| match &mut wrong {
            Some(errors) => errors.combine(error),
            none => *none = Some(error),
        };
        if let Some(it) = item.generics.params.first() {
            let message = "a contract is one for all: use concrete types in place of generics of the trait";
            complain(Error::new(it.span(), message));
        }
        let said = Said::of_trait(settings).unwrap_or_else(|error| {
            complain(error);
            Said::default()
        });
        let mut methods: Vec<Method> = Vec::new();
        let mut names: HashMap<String, String> = HashMap::new();
        for item in std::mem::take(&mut item.items) {
            match method(item, &said) {
                Ok(method) => {
                    let ident = method.item.sig.ident.to_string();
                    if let Some(before) = names.insert(method.name.clone(), ident) {
                        let message = format!(
                            "`{}` is the name of the method `{before}` too: give one of them another, `#[procedure(name = \"…\")]`",
                            method.name
                        );
                        complain(Error::new(method.item.sig.ident.span(), message));
                    }
                    methods.push(method);
                }
                Err(error) => complain(error),
            }
        }
        match wrong {
            Some(errors) => Err(errors),
            None => Ok(Self { item, methods }),
        }
    }

    /// The trait as it is implemented: its futures are `Send`.
    pub(super) fn definition(&self) -> TokenStream {
        let ItemTrait { attrs, vis, unsafety, ident, supertraits, .. } = &self.item;
        let methods = self.methods.iter().map(Method::definition);
        let supertraits = supertraits.iter();
        quote! {
            #(#attrs)*
            #vis #unsafety trait #ident:
                ::core::marker::Send + ::core::marker::Sync + 'static #(+ #supertraits)*
            {
                #(#methods)*
            }
        }
    }

    /// The structs that arguments travel as.
    pub(super) fn structs(&self) -> TokenStream {
        self.methods.iter().filter_map(Method::structure).collect()
    }

    /// What the types have to be; of methods that may be left out that is not said.
    pub(super) fn bounds(&self) -> TokenStream {
        let always = self.methods.iter().filter(|it| notes::conditions(&it.item.attrs).is_empty());
        always.map(Method::bounds).collect()
    }

    /// What is asked of the types again, where it is answered in our own words, and
    /// whether what looks like a value is one.
    pub(super) fn checks(&self) -> TokenStream {
        let checked = self.methods.iter().map(|method| {
            let conditions = notes::conditions(&method.item.attrs);
            let (Returns::One(value) | Returns::Many { item: value, .. }) = &method.returns;
            let checked = no_result(value);
            let asked = method.asked();
            quote!(#(#conditions)* { #asked #checked })
        });
        quote! {
            #[allow(dead_code, reason = "it is enough that it compiles")]
            fn __checks() { #(#checked)* }
        }
    }

    /// The documentation of a type that belongs to the trait.
    pub(super) fn about(&self, sentence: &str) -> String {
        sentence.replace("{}", &self.item.ident.to_string())
    }
}

fn method(item: TraitItem, said: &Said) -> Result<Method> {
    let message = match item {
        TraitItem::Fn(method) => return Method::read(method, said),
        TraitItem::Const(_) => "a contract is made of methods: make the constant an item beside the trait",
        TraitItem::Type(_) => {
            "a contract is made of methods: write the concrete type in place of an associated one"
        }
        _ => "a contract is made of methods: `async fn name(&self, …) -> …;`",
    };
    Err(Error::new(item.span(), message))
}

/// A `Result` by another name would be sent as a value.
fn no_result(value: &Value) -> TokenStream {
    let Value::Plain(kind) = value else { return TokenStream::new() };
    quote_spanned! { kind.span() =>
        #[allow(unused_imports, reason = "what is found first hides it")]
        {
            use ::trunkline::__private::NoResult as _;
            const { ::trunkline::__private::Probe::<#kind>::CHECKED }
        }
    }
}
