//! [`Argument`] and [`Extractor`]: what a method takes.

use super::returns::{Value, sent_item};
use crate::setting::Settings;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Expr, FnArg, Ident, LitStr, Meta, Pat, PatType, Result, Type, parse_quote,
    spanned::Spanned,
};

/// What a method takes besides itself, in order.
#[derive(Default)]
pub(super) struct Taken {
    /// What does not travel.
    pub(super) extractors: Vec<Type>,
    pub(super) arguments: Vec<Argument>,
    /// The stream that the caller sends, and before which of the arguments it stands.
    pub(super) stream: Option<(usize, SentStream)>,
}

/// A stream that the caller sends.
pub(super) struct SentStream {
    pub(super) ident: Ident,
    /// What its items are for callers.
    pub(super) item: Value,
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
            } else if let Some(item) = sent_item(&input.ty)? {
                let before = taken.arguments.len();
                let stream = SentStream::read(input, item)?;
                if taken.stream.replace((before, stream)).is_some() {
                    let message = "a procedure takes one stream of its caller at most: send the items of both \
                                   as one, for example as an enum";
                    return Err(Error::new(input.span(), message));
                }
            } else {
                taken.arguments.push(Argument::read(input)?);
            }
        }
        // a stream is extracted too
        match taken.extractors.get(8 - usize::from(taken.stream.is_some())) {
            Some(one_more) => Err(Error::new(one_more.span(), "a procedure takes at most eight extractors")),
            None => Ok(taken),
        }
    }
}

/// An input as the trait has it: without what is said of it here.
pub(super) fn bare(input: &FnArg) -> FnArg {
    let mut input = input.clone();
    if let FnArg::Typed(typed) = &mut input {
        if let Ok(Some(item)) = sent_item(&typed.ty) {
            *typed.ty = incoming(&item);
        }
        typed.attrs.retain(|it| !["arg", "extract", "doc"].iter().any(|name| it.path().is_ident(name)));
    }
    input
}

impl Taken {
    /// What stands for all but the extractors, in order.
    pub(super) fn in_order<T>(
        &self,
        argument: impl Fn(&Argument) -> T,
        stream: impl FnOnce(&SentStream) -> T,
    ) -> Vec<T> {
        let mut all: Vec<T> = self.arguments.iter().map(argument).collect();
        if let Some((before, sent)) = &self.stream {
            all.insert(*before, stream(sent));
        }
        all
    }

    /// What its types are as they travel.
    pub(super) fn travelling(&self) -> impl Iterator<Item = &Type> {
        let item = self.stream.iter().map(|(_, stream)| stream.item.decoded());
        self.arguments.iter().map(|it| &it.kind).chain(item)
    }
}

impl SentStream {
    fn read(input: &PatType, item: Value) -> Result<Self> {
        if let Some(said) = input.attrs.iter().find(|it| it.path().is_ident("arg")) {
            let message =
                "a stream is sent beside the arguments: it has neither a name nor a default; drop `#[arg]`";
            return Err(Error::new(said.span(), message));
        }
        Ok(Self { ident: plain_name(input)?.clone(), item })
    }

    /// What the implementation takes.
    pub(super) fn incoming(&self) -> Type {
        incoming(&self.item)
    }
}

fn incoming(item: &Value) -> Type {
    let item = item.decoded();
    parse_quote!(::trunkline::Incoming<#item>)
}

fn plain_name(input: &PatType) -> Result<&Ident> {
    match &*input.pat {
        Pat::Ident(pattern)
            if pattern.by_ref.is_none() && pattern.mutability.is_none() && pattern.subpat.is_none() =>
        {
            Ok(&pattern.ident)
        }
        other => Err(no_name(other)),
    }
}

impl Argument {
    fn read(input: &PatType) -> Result<Self> {
        let ident = plain_name(input)?.clone();
        owned(&input.ty)?;
        let mut argument = Self {
            ident,
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
