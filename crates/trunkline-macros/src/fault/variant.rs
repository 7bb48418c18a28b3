//! [`Variant`]: one error of an enum, or a struct that is one.

use super::{message::captured, said::Said};
use crate::notes;
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
        fields: &Fields,
    ) -> Result<Self> {
        let said = Said::read(attributes)?;
        Ok(Self {
            name: said.name.as_ref().map_or_else(|| ident.unraw().to_string(), LitStr::value),
            span: ident.span(),
            said,
            path,
            properties: format_ident!("__{}", ident.unraw()),
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
        let bounds = self.bounds();
        Some(quote! {
            #[derive(::trunkline::__private::serde::Deserialize, ::trunkline::__private::serde::Serialize)]
            #[serde(crate = "::trunkline::__private::serde")]
            struct #properties
            where
                #bounds
            { #(#fields),* }
        })
    }

    /// What its types have to be, said where each of them stands.
    pub(super) fn bounds(&self) -> Option<TokenStream> {
        let told =
            |Field { kind, .. }: &Field| quote_spanned!(kind.span() => #kind: ::trunkline::__private::Told,);
        (!self.said.internal).then(|| self.fields.iter().map(told).collect())
    }

    /// The same, as questions, which are answered in our own words.
    pub(super) fn asked(&self) -> Option<TokenStream> {
        let told = |Field { kind, .. }: &Field| quote_spanned!(kind.span() => ::trunkline::__private::told::<#kind>(););
        (!self.said.internal).then(|| self.fields.iter().map(told).collect())
    }

    /// What it is turned into.
    pub(super) fn told(&self) -> TokenStream {
        let Self { path, properties, .. } = self;
        if self.said.internal {
            return quote!(error @ #path { .. } => Self::internal(error),);
        }
        let (kind, code, name) = (self.said.kind(), self.code(), &self.name);
        let (members, locals) = self.places();
        let belonging = match self.fields.is_empty() {
            true => quote!(()),
            false => quote!(#properties { #(#locals),* }),
        };
        quote! {
            #path { #(#members: #locals),* } => Self::new(#kind, message) #code.with_name(#name, #belonging),
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
                ::core::option::Option::Some(#name) => fault
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
        Some(quote!(::trunkline::Fault::new(#kind, #message) #code.with_name(#name, ())))
    }

    /// What is shown of it, if that is said here.
    pub(super) fn displayed(&self) -> Option<TokenStream> {
        let (path, message) = (&self.path, self.said.message.as_ref()?);
        let text = LitStr::new(&captured(&message.value()), message.span());
        let (members, locals) = self.places();
        Some(quote! {
            #path { #(#members: ref #locals),* } => ::core::write!(f, #text),
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
        let (local, name) = match &member {
            syn::Member::Named(ident) => (ident.clone(), ident.unraw().to_string()),
            syn::Member::Unnamed(at) => (format_ident!("field_{}", at.index), at.index.to_string()),
        };
        Self { member, local, name, kind: kind.clone() }
    }
}
