//! [`Taken`]: what a method takes, an [`Argument`] or what does not travel.

use super::returns::{Value, sent_item};
use crate::{
    bare::bare,
    owned::{itself, owned},
    setting,
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Error, Expr, FnArg, Ident, LitStr, Pat, PatType, Path, Result, TraitItemFn, Type,
    ext::IdentExt, parse_quote,
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
                    return Err(Error::new_spanned(input, message));
                }
                itself(&input.ty)?;
                taken.extractors.push((*input.ty).clone());
            } else if let Some(item) = sent_item(&input.ty)? {
                let before = taken.arguments.len();
                let stream = SentStream::read(input, item)?;
                if taken.stream.replace((before, stream)).is_some() {
                    let message = "a procedure takes one stream of its caller at most: send the items of both \
                                   as one, for example as an enum";
                    return Err(Error::new_spanned(&input.pat, message));
                }
            } else {
                let argument = Argument::read(input)?;
                let name = argument.told();
                if let Some(before) = taken.arguments.iter().find(|it| it.told() == name) {
                    let message = format!(
                        "callers know `{}` as `{name}` too: give one of them another name, `#[arg(name = \"…\")]`",
                        before.ident
                    );
                    return Err(Error::new_spanned(&input.pat, message));
                }
                taken.arguments.push(argument);
            }
        }
        // a stream is extracted too
        match taken.extractors.get(8 - usize::from(taken.stream.is_some())) {
            Some(one_more) => Err(Error::new_spanned(one_more, "a procedure takes at most eight extractors")),
            None => Ok(taken),
        }
    }
}

/// Takes off a method what is said of it here alone.
pub(super) fn unmark(method: &mut TraitItemFn) {
    method.attrs.retain(|it| !it.path().is_ident("procedure"));
    for input in &mut method.sig.inputs {
        if let FnArg::Typed(typed) = input {
            typed.attrs.retain(|it| !["arg", "extract", "doc"].iter().any(|name| it.path().is_ident(name)));
        }
    }
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
            return Err(Error::new_spanned(said, message));
        }
        Ok(Self { ident: plain_name(input)?.clone(), item })
    }

    /// Whether it is what this pattern stands for.
    pub(super) fn is_named(&self, pattern: &Pat) -> bool {
        matches!(pattern, Pat::Ident(it) if it.ident == self.ident)
    }

    /// What the implementation takes; `facade` is where trunkline is.
    pub(super) fn incoming(&self, facade: &Path) -> Type {
        let item = self.item.decoded();
        parse_quote!(#facade::Incoming<#item>)
    }
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
        argument.say(&input.attrs)?;
        Ok(argument)
    }

    fn say(&mut self, attributes: &[Attribute]) -> Result<()> {
        let settings = setting::of_attributes(attributes, "arg", "#[arg(default)]")?;
        setting::check(&settings, "an argument", &["default", "name"], &[], &[])?;
        for setting in &settings {
            match &*setting.word {
                "name" => self.name = Some(setting.text()?),
                _ => {
                    let value = setting.optional_value()?.cloned();
                    self.default = Some(value.map_or(Default::OfType, Default::Value));
                }
            }
        }
        Ok(())
    }

    /// What callers know it by.
    fn told(&self) -> String {
        self.name.as_ref().map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }

    /// The field of the struct that the arguments are read from, and written as.
    pub(super) fn field(&self, of: &Ident) -> TokenStream {
        let Self { ident, kind, name, docs, .. } = self;
        let renamed = name.as_ref().map(|name| quote!(#[serde(rename = #name)]));
        let default = self.default.as_ref().map(|default| match default {
            Default::OfType => quote!(#[serde(default)]),
            Default::Value(_) => {
                let function = format!("{of}::{}", self.default_function());
                quote!(#[serde(default = #function)])
            }
        });
        // with a default, to leave it out is to say something else than `None`
        let omitted = (is_option(kind) && self.default.is_none())
            .then(|| quote!(#[serde(skip_serializing_if = "::core::option::Option::is_none")]));
        quote!(#(#docs)* #renamed #default #omitted #ident: #kind)
    }

    /// The function of the struct that gives its default, if that is a value.
    pub(super) fn default_value(&self) -> Option<TokenStream> {
        let Some(Default::Value(value)) = &self.default else { return None };
        let (function, kind) = (self.default_function(), &self.kind);
        Some(quote!(fn #function() -> #kind { #value }))
    }

    fn default_function(&self) -> Ident {
        format_ident!("__default_{}", self.ident.unraw())
    }
}

fn no_name(pattern: &Pat) -> Error {
    let message = "an argument needs a plain name, which callers know it by: write `name: Type`, \
                   and take it apart where the trait is implemented";
    Error::new_spanned(pattern, message)
}

fn is_option(kind: &Type) -> bool {
    matches!(bare(kind), Type::Path(path) if path.path.segments.last().is_some_and(|it| it.ident == "Option"))
}
