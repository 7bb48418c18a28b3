//! [`Variant`]: one error of an enum, or a struct that is one.

use super::{message::captured, said::Said};
use crate::{notes, once::once, owned::owned};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Attribute, Fields, Ident, LitStr, Result, Type, ext::IdentExt, spanned::Spanned};

/// One error.
pub(super) struct Variant {
    /// What callers know it by.
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) said: Said,
    /// How it is written.
    path: TokenStream,
    /// The struct of what belongs to it.
    properties: Ident,
    fields: Vec<Field>,
    /// What the documentation says first.
    sentence: Option<String>,
}

/// What the fields are bound to begins with, so that it is nobody else's name.
const BOUND: &str = "__field_";

/// Something that belongs to it.
struct Field {
    /// How it is taken out and put in.
    member: syn::Member,
    local: Ident,
    /// What callers know it by.
    name: String,
    kind: Type,
}

impl Variant {
    pub(super) fn read(
        path: TokenStream,
        ident: &Ident,
        attributes: &[Attribute],
        known: &[&str],
        fields: &Fields,
    ) -> Result<Self> {
        let said = Said::read(attributes, known)?;
        if !said.internal {
            fields.iter().try_for_each(|it| owned(&it.ty))?;
        }
        Ok(Self {
            name: said.name.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value),
            span: ident.span(),
            said,
            path,
            properties: format_ident!("__Properties_{}", ident.unraw()),
            fields: fields
                .members()
                .zip(fields)
                .map(|(member, field)| Field::of(member, &field.ty))
                .collect(),
            sentence: notes::documentation(attributes)
                .and_then(|text| text.split("\n\n").next().map(|it| it.replace('\n', " "))),
        })
    }

    /// The struct that what belongs to it travels as.
    pub(super) fn structure(&self) -> Option<TokenStream> {
        if self.fields.is_empty() || self.said.internal {
            return None;
        }
        let properties = &self.properties;
        let fields = self
            .fields
            .iter()
            .map(|Field { local, name, kind, .. }| quote!(#[serde(rename = #name)] #local: #kind));
        let bounds = once(self.bounds());
        Some(quote! {
            #[derive(__trunkline::__private::serde::Deserialize, __trunkline::__private::serde::Serialize)]
            #[serde(crate = "__trunkline::__private::serde")]
            #[allow(non_camel_case_types, reason = "it has the name of the error")]
            struct #properties
            where
                #bounds
            { #(#fields),* }
        })
    }

    /// What its types have to be, said where each of them stands.
    pub(super) fn bounds(&self) -> Vec<TokenStream> {
        self.crossing()
            .map(|kind| quote_spanned!(kind.span() => #kind: __trunkline::__private::Told,))
            .collect()
    }

    /// The same, as questions, which are answered in our own words.
    pub(super) fn asked(&self) -> Vec<TokenStream> {
        self.crossing()
            .map(|kind| quote_spanned!(kind.span() => __trunkline::__private::told::<#kind>();))
            .collect()
    }

    /// The types of what callers are told.
    fn crossing(&self) -> impl Iterator<Item = &Type> {
        self.fields.iter().map(|it| &it.kind).filter(|_| !self.said.internal)
    }

    /// What it is turned into.
    pub(super) fn told(&self) -> TokenStream {
        let Self { path, properties, .. } = self;
        if self.said.internal {
            return quote!(__error @ #path { .. } => Self::internal(__error),);
        }
        let (kind, code, name) = (self.said.kind(), self.code(), &self.name);
        let (members, locals) = self.places();
        let belonging = match self.fields.is_empty() {
            true => quote!(()),
            false => quote!(#properties { #(#locals),* }),
        };
        quote! {
            #path { #(#members: #locals),* } => Self::new(#kind, __message) #code.with_name(#name, #belonging),
        }
    }

    /// What it is made of again; nothing, if it does not cross.
    pub(super) fn known(&self) -> Option<TokenStream> {
        let Self { path, properties, name, .. } = self;
        if self.said.internal {
            return None;
        }
        let (members, locals) = self.places();
        Some(match self.fields.is_empty() {
            true => quote!(::core::option::Option::Some(#name) => ::core::option::Option::Some(#path {}),),
            false => quote! {
                ::core::option::Option::Some(#name) => __fault
                    .properties::<#properties>()
                    .map(|#properties { #(#locals),* }| #path { #(#members: #locals),* }),
            },
        })
    }

    /// How the catalog shows it.
    pub(super) fn example(&self) -> Option<TokenStream> {
        if self.said.internal {
            return None;
        }
        let (kind, code, name) = (self.said.kind(), self.code(), &self.name);
        let message = self.said.message.as_ref().map(LitStr::value);
        let message = message.or_else(|| self.sentence.clone()).unwrap_or_else(|| name.clone());
        Some(quote!(__trunkline::Fault::new(#kind, #message) #code.with_name(#name, ())))
    }

    /// What is shown of it, if that is said here.
    pub(super) fn displayed(&self) -> Option<TokenStream> {
        let (path, message) = (&self.path, self.said.message.as_ref()?);
        let names: Vec<&str> = self.fields.iter().map(|it| &*it.name).collect();
        let text = LitStr::new(&captured(&message.value(), BOUND, &names), message.span());
        let (members, locals) = self.places();
        Some(quote! {
            #path { #(#members: ref #locals),* } => ::core::write!(__f, #text),
        })
    }

    /// What is behind it: the one thing that an error has which stays at home.
    pub(super) fn source(&self) -> Option<TokenStream> {
        let ([field], true) = (&*self.fields, self.said.internal) else { return None };
        let (path, Field { member, local, .. }) = (&self.path, field);
        Some(quote! {
            #path { #member: ref #local } => __trunkline::__private::Inside(#local).source(),
        })
    }

    fn code(&self) -> Option<TokenStream> {
        self.said.code.as_ref().map(|code| quote!(.with_code(#code)))
    }

    fn places(&self) -> (Vec<&syn::Member>, Vec<&Ident>) {
        self.fields.iter().map(|field| (&field.member, &field.local)).unzip()
    }
}

impl Field {
    fn of(member: syn::Member, kind: &Type) -> Self {
        let name = match &member {
            syn::Member::Named(ident) => ident.unraw().to_string(),
            syn::Member::Unnamed(at) => at.index.to_string(),
        };
        let local = format_ident!("{BOUND}{name}");
        Self { member, local, name, kind: kind.clone() }
    }
}
