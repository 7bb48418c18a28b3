//! [`Returns`]: what a method gives.

use crate::{
    bare::{bare, bare_mut},
    owned::owned,
};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{
    Error, GenericArgument, PathArguments, Result, ReturnType, Type, TypeImplTrait, TypeParamBound,
    parse_quote, spanned::Spanned,
};

/// What a method gives.
pub(super) enum Returns {
    /// A value, or else it fails.
    One(Value),
    /// A stream; with the `Result` it is in if it may fail to open.
    Many {
        /// What each item is.
        item: Value,
        /// The result, with `()` in place of the stream.
        opening: Option<Box<Type>>,
    },
}

/// A value, or what is a value unless it fails.
pub(super) enum Value {
    Plain(Type),
    /// The whole `Result`.
    Fallible(Type),
}

impl Returns {
    pub(super) fn read(output: &ReturnType) -> Result<Self> {
        let kind = match output {
            ReturnType::Default => return Ok(Self::One(Value::Plain(parse_quote!(())))),
            ReturnType::Type(_, kind) => &**kind,
        };
        if let Some(stream) = stream_in(kind)? {
            return Ok(Self::Many { item: item_of(stream)?, opening: None });
        }
        if let Some(first) = result_in(kind)
            && let Some(stream) = stream_in(first)?
        {
            let mut opening = kind.clone();
            if let Some(first) = result_in_mut(&mut opening) {
                *first = parse_quote!(());
            }
            return Ok(Self::Many { item: item_of(stream)?, opening: Some(Box::new(opening)) });
        }
        Ok(Self::One(Value::read(kind)?))
    }

    /// The type of the errors that are told, if it fails with any.
    pub(super) fn error(&self) -> Option<TokenStream> {
        match self {
            Self::One(value) => value.error(),
            Self::Many { opening, .. } => opening.as_deref().map(error_of),
        }
    }

    /// What the trait says that it returns: streams that can be sent to other threads.
    pub(super) fn in_trait(output: &ReturnType) -> Type {
        let mut kind = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, kind) => (**kind).clone(),
        };
        sendable(&mut kind);
        if let Some(first) = result_in_mut(&mut kind) {
            sendable(first);
        }
        kind
    }
}

impl Value {
    fn read(kind: &Type) -> Result<Self> {
        let inner = result_in(kind);
        owned(inner.unwrap_or(kind))?;
        Ok(if inner.is_some() { Self::Fallible(kind.clone()) } else { Self::Plain(kind.clone()) })
    }

    /// What a client decodes.
    pub(super) fn decoded(&self) -> &Type {
        match self {
            Self::Plain(kind) => kind,
            Self::Fallible(result) => result_in(result).unwrap_or(result),
        }
    }

    /// As it was written.
    pub(super) fn whole(&self) -> &Type {
        let (Self::Plain(kind) | Self::Fallible(kind)) = self;
        kind
    }

    /// What makes a stream of replies of one of these.
    pub(super) fn sent(&self, stream: &syn::Ident) -> TokenStream {
        match self {
            Self::Plain(_) => quote!(__trunkline::__private::plain(#stream)),
            Self::Fallible(_) => quote!(#stream),
        }
    }

    /// What makes a reply of the value.
    pub(super) fn wrapped(&self, value: &TokenStream) -> TokenStream {
        match self {
            Self::Plain(_) => quote!(__trunkline::Plain(#value)),
            Self::Fallible(_) => value.clone(),
        }
    }

    /// The type of its errors, if it has any.
    pub(super) fn error(&self) -> Option<TokenStream> {
        match self {
            Self::Plain(_) => None,
            Self::Fallible(result) => Some(error_of(result)),
        }
    }

    /// Whether it is nothing.
    pub(super) fn is_unit(&self) -> bool {
        let (Self::Plain(kind) | Self::Fallible(kind)) = self;
        matches!(bare(result_in(kind).unwrap_or(kind)), Type::Tuple(tuple) if tuple.elems.is_empty())
    }
}

/// The type of the errors of a `Result`, by whatever alias.
fn error_of(result: &Type) -> TokenStream {
    quote_spanned!(result.span() => <#result as __trunkline::__private::ResultOf>::Err)
}

/// The type in a `Result`, if it is called so.
fn result_in(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = bare(kind) else { return None };
    let last = path.path.segments.last().filter(|it| it.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|it| match it {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

fn result_in_mut(kind: &mut Type) -> Option<&mut Type> {
    let Type::Path(path) = bare_mut(kind) else { return None };
    let last = path.path.segments.last_mut().filter(|it| it.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return None };
    arguments.args.iter_mut().find_map(|it| match it {
        GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

/// What the items are of a stream that is taken, if it is one.
pub(super) fn sent_item(kind: &Type) -> Result<Option<Value>> {
    match bare(kind) {
        Type::ImplTrait(it) if it.bounds.iter().any(|it| stream_bound(it).is_some()) => item_of(it).map(Some),
        _ => Ok(None),
    }
}

/// The `impl Stream<…>`, if it is one.
fn stream_in(kind: &Type) -> Result<Option<&TypeImplTrait>> {
    let Type::ImplTrait(it) = bare(kind) else { return Ok(None) };
    let is_stream = it.bounds.iter().any(|it| stream_bound(it).is_some());
    match is_stream {
        true => Ok(Some(it)),
        false => Err(Error::new_spanned(
            kind,
            "a client needs to know the type: write a concrete one, or `impl Stream<Item = T>`",
        )),
    }
}

fn stream_bound(bound: &TypeParamBound) -> Option<&syn::PathSegment> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    bound.path.segments.last().filter(|it| it.ident == "Stream")
}

fn item_of(stream: &TypeImplTrait) -> Result<Value> {
    let arguments = stream.bounds.iter().find_map(stream_bound).map(|it| &it.arguments);
    let item = match arguments {
        Some(PathArguments::AngleBracketed(arguments)) => arguments.args.iter().find_map(|it| match it {
            GenericArgument::AssocType(it) if it.ident == "Item" => Some(&it.ty),
            _ => None,
        }),
        _ => None,
    };
    let item = item.ok_or_else(|| {
        Error::new_spanned(stream, "say what the items of the stream are: `impl Stream<Item = T>`")
    })?;
    Value::read(item)
}

fn sendable(kind: &mut Type) {
    if let Type::ImplTrait(it) = bare_mut(kind) {
        it.bounds.push(parse_quote!(::core::marker::Send));
    }
}
