//! [`Argument`] and [`Extractor`]: what a method takes.

use crate::setting::Settings;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Error, Expr, FnArg, Ident, LitStr, Meta, Pat, PatType, Result, Type, spanned::Spanned};

/// What a method takes besides itself, in order.
#[derive(Default)]
pub(super) struct Taken {
    /// What does not travel.
    pub(super) extractors: Vec<Type>,
    pub(super) arguments: Vec<Argument>,
}

/// An argument, which travels.
pub(super) struct Argument {
    pub(super) ident: Ident,
    pub(super) kind: Type,
    /// What it is called elsewhere.
    name: Option<LitStr>,
    default: Option<Default>,
    docs: Vec<Attribute>,
}

/// What an argument is if it is left out.
enum Default {
    OfType,
    Value(Expr),
}

impl Taken {
    /// Reads the inputs behind `&self`.
    pub(super) fn read<'a>(inputs: impl Iterator<Item = &'a FnArg>) -> Result<Self> {
        let mut taken = Self::default();
        for input in inputs {
            let FnArg::Typed(input) = input else { continue };
            if input.attrs.iter().any(|it| it.path().is_ident("extract")) {
                if let Some(before) = taken.arguments.last() {
                    let message = format!(
                        "extractors come first, arguments last: move this one to before `{}`",
                        before.ident
                    );
                    return Err(Error::new(input.span(), message));
                }
                owned(&input.ty)?;
                taken.extractors.push((*input.ty).clone());
            } else {
                taken.arguments.push(Argument::read(input)?);
            }
        }
        match taken.extractors.get(8) {
            Some(one_more) => Err(Error::new(one_more.span(), "a procedure takes at most eight extractors")),
            None => Ok(taken),
        }
    }
}

/// An input as the trait has it: without what is said of it here.
pub(super) fn bare(input: &FnArg) -> FnArg {
    let mut input = input.clone();
    if let FnArg::Typed(typed) = &mut input {
        typed.attrs.retain(|it| !["arg", "extract", "doc"].iter().any(|name| it.path().is_ident(name)));
    }
    input
}

impl Argument {
    fn read(input: &PatType) -> Result<Self> {
        let Pat::Ident(pattern) = &*input.pat else { return Err(no_name(&input.pat)) };
        if pattern.by_ref.is_some() || pattern.mutability.is_some() || pattern.subpat.is_some() {
            return Err(no_name(&input.pat));
        }
        owned(&input.ty)?;
        let mut argument = Self {
            ident: pattern.ident.clone(),
            kind: (*input.ty).clone(),
            name: None,
            default: None,
            docs: input.attrs.iter().filter(|it| it.path().is_ident("doc")).cloned().collect(),
        };
        for attribute in input.attrs.iter().filter(|it| it.path().is_ident("arg")) {
            argument.say(attribute)?;
        }
        Ok(argument)
    }

    fn say(&mut self, attribute: &Attribute) -> Result<()> {
        if let Meta::Path(_) = attribute.meta {
            return Err(Error::new(
                attribute.span(),
                "write what is to be said of the argument: `#[arg(default)]`",
            ));
        }
        for setting in attribute.parse_args_with(Settings::parse_terminated)? {
            match &*setting.word {
                "default" => {
                    let value = setting.optional_value()?.cloned();
                    self.default = Some(value.map_or(Default::OfType, Default::Value));
                }
                "name" => self.name = Some(setting.text()?),
                _ => return Err(setting.unknown("an argument", &["default", "name"])),
            }
        }
        Ok(())
    }

    /// The field of the struct that the arguments are read from, and written as.
    pub(super) fn field(&self, of: &Ident) -> TokenStream {
        let Self { ident, kind, name, docs, .. } = self;
        let renamed = name.as_ref().map(|name| quote!(#[serde(rename = #name)]));
        let default = self.default.as_ref().map(|default| match default {
            Default::OfType => quote!(#[serde(default)]),
            Default::Value(_) => {
                let function = self.default_function(of).to_string();
                quote!(#[serde(default = #function)])
            }
        });
        let omitted = is_option(kind)
            .then(|| quote!(#[serde(skip_serializing_if = "::core::option::Option::is_none")]));
        quote!(#(#docs)* #renamed #default #omitted #ident: #kind)
    }

    /// The function that gives its default, if that is a value.
    pub(super) fn default_value(&self, of: &Ident) -> Option<TokenStream> {
        let Some(Default::Value(value)) = &self.default else { return None };
        let (function, kind) = (self.default_function(of), &self.kind);
        Some(quote!(fn #function() -> #kind { #value }))
    }

    fn default_function(&self, of: &Ident) -> Ident {
        format_ident!("{of}_{}", self.ident)
    }
}

fn no_name(pattern: &Pat) -> Error {
    let message = "an argument needs a plain name, which callers know it by: write `name: Type`, \
                   and take it apart where the trait is implemented";
    Error::new(pattern.span(), message)
}

fn is_option(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|it| it.ident == "Option"))
}

/// Refuses types that cannot be kept.
pub(super) fn owned(kind: &Type) -> Result<()> {
    let message = match kind {
        Type::Reference(reference) => {
            let (elem, of) = (&reference.elem, quote::ToTokens::to_token_stream(&reference.elem).to_string());
            let instead = match &**elem {
                Type::Slice(slice) => {
                    let of = quote::ToTokens::to_token_stream(&slice.elem).to_string();
                    format!("Vec<{of}>")
                }
                _ if of == "str" => "String".to_owned(),
                _ => of,
            };
            format!("what travels is owned, on either side: write `{instead}` instead of a reference")
        }
        Type::ImplTrait(_) => {
            "callers need to know the type: write a concrete one instead of `impl …`".to_owned()
        }
        _ => return Ok(()),
    };
    Err(Error::new(kind.span(), message))
}
