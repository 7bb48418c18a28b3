//! [`Contract`]: the trait, read and found good.

use super::{
    argument,
    method::Method,
    names::Names,
    returns::{Returns, Value},
    said::Said,
};
use crate::{bare::bare, notes, once::once, setting::Settings};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use std::collections::HashMap;
use syn::{
    Error, FnArg, ItemTrait, Pat, Result, TraitItem, Type, WherePredicate, parse_quote, spanned::Spanned,
};

/// The trait, read and found good.
pub(super) struct Contract {
    pub(super) item: ItemTrait,
    pub(super) methods: Vec<Method>,
    pub(super) names: Names,
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
            complain(Error::new_spanned(it, message));
        }
        of_itself(&item).unwrap_or_else(&mut complain);
        let names = Names::read(settings, &item.ident);
        let mut said = Said::of_trait(settings).unwrap_or_else(|error| {
            complain(error);
            Said::default()
        });
        said.deprecated = said.deprecated.or_else(|| notes::deprecated(&item.attrs));
        let mut methods: Vec<Method> = Vec::new();
        let mut taken: HashMap<String, (String, bool)> = HashMap::new();
        for item in std::mem::take(&mut item.items) {
            match method(item, &said) {
                Ok(method) => {
                    let conditional = !method.conditions().is_empty();
                    let this = (method.item.sig.ident.to_string(), conditional);
                    // of alternatives, it is the conditions that say which one is there
                    if let Some((before, alternative)) = taken.insert(method.name.clone(), this)
                        && !(conditional && alternative)
                    {
                        let message = format!(
                            "`{}` is the name of the method `{before}` too: give one of them another, `#[procedure(name = \"…\")]`",
                            method.name
                        );
                        complain(Error::new_spanned(&method.item.sig.ident, message));
                    }
                    methods.push(method);
                }
                Err(error) => complain(error),
            }
        }
        match (wrong, names) {
            (Some(errors), _) => Err(errors),
            (None, names) => Ok(Self { item, methods, names: names? }),
        }
    }

    /// The trait as it is implemented: its futures are `Send`.
    pub(super) fn definition(&self) -> TokenStream {
        let ItemTrait { attrs, vis, unsafety, ident, supertraits, generics, .. } = &self.item;
        let clause = &generics.where_clause;
        let methods = self.methods.iter().map(|it| it.definition(&self.names.facade));
        let supertraits = supertraits.iter();
        quote! {
            #(#attrs)*
            #vis #unsafety trait #ident:
                ::core::marker::Send + ::core::marker::Sync + 'static #(+ #supertraits)*
            #clause
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
        let always = self.methods.iter().filter(|it| it.conditions().is_empty());
        once(always.flat_map(Method::bounds))
    }

    /// What is asked of the types again, where it is answered in our own words, and
    /// whether what looks like a value is one.
    pub(super) fn checks(&self) -> TokenStream {
        let always = self.methods.iter().filter(|it| it.conditions().is_empty());
        let always = once(always.flat_map(checked));
        let perhaps = self.methods.iter().filter(|it| !it.conditions().is_empty()).map(|method| {
            let (conditions, checked) = (method.conditions(), once(checked(method)));
            quote!(#(#conditions)* { #checked })
        });
        quote! {
            #[allow(dead_code, reason = "it is enough that it compiles")]
            fn __checks() { #always #(#perhaps)* }
        }
    }

    /// The documentation of a type that belongs to the trait.
    pub(super) fn about(&self, sentence: &str) -> String {
        sentence.replace("{}", &self.item.ident.to_string())
    }
}

/// The trait as it was written, for the compiler to take it as it is.
pub(super) fn unmarked(mut item: ItemTrait) -> ItemTrait {
    for item in &mut item.items {
        let TraitItem::Fn(method) = item else { continue };
        argument::unmark(method);
        for input in &mut method.sig.inputs {
            // without a body, names are all that there may be
            if let FnArg::Typed(input) = input
                && method.default.is_none()
                && !matches!(&*input.pat, Pat::Ident(it) if it.mutability.is_none() && it.by_ref.is_none())
            {
                input.pat = parse_quote!(_);
            }
        }
    }
    item.attrs.push(parse_quote!(#[allow(async_fn_in_trait, reason = "it is made another one")]));
    item
}

/// Refuses what a `where` says of anything but the trait: whoever names the trait
/// would have to say it again.
fn of_itself(item: &ItemTrait) -> Result<()> {
    let said = item.generics.where_clause.iter().flat_map(|it| &it.predicates);
    for predicate in said {
        let itself = match predicate {
            WherePredicate::Type(it) => {
                matches!(bare(&it.bounded_ty), Type::Path(path) if path.path.is_ident("Self"))
            }
            _ => false,
        };
        if !itself {
            let message = "a `where` of a contract is about what implements it, `Self`: drop the rest";
            return Err(Error::new_spanned(predicate, message));
        }
    }
    Ok(())
}

fn checked(method: &Method) -> Vec<TokenStream> {
    let (Returns::One(value) | Returns::Many { item: value, .. }) = &method.returns;
    let mut asked = method.asked();
    asked.push(no_result(value));
    asked.extend(method.taken.stream.iter().map(|(_, stream)| no_result(&stream.item)));
    asked
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
    Err(Error::new_spanned(item, message))
}

/// A `Result` by another name would be sent as a value.
fn no_result(value: &Value) -> TokenStream {
    let Value::Plain(kind) = value else { return TokenStream::new() };
    quote_spanned! { kind.span() =>
        #[allow(unused_imports, reason = "what is found first hides it")]
        {
            use __trunkline::__private::NoResult as _;
            const { __trunkline::__private::Probe::<#kind>::CHECKED }
        }
    }
}
