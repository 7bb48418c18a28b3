//! [`Method`]: one method of the trait, which becomes one procedure.

use super::{
    argument::{Taken, bare},
    returns::Returns,
    said::Said,
};
use crate::{notes, setting::Settings};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, FnArg, Ident, Result, Signature, TraitItemFn, Type, ext::IdentExt, spanned::Spanned};

/// One method of the trait.
pub(super) struct Method {
    pub(super) item: TraitItemFn,
    pub(super) said: Said,
    /// The name of the procedure.
    pub(super) name: String,
    pub(super) taken: Taken,
    pub(super) returns: Returns,
    /// The struct of its arguments; without any there is none.
    pub(super) args: Option<Ident>,
}

impl Method {
    /// Reads a method of a trait of which something is said already.
    pub(super) fn read(item: TraitItemFn, of_trait: &Said) -> Result<Self> {
        let signature = &item.sig;
        plain(signature)?;
        let mut said = of_trait.clone();
        said.deprecated = notes::deprecated(&item.attrs).or(said.deprecated);
        for attribute in item.attrs.iter().filter(|it| it.path().is_ident("procedure")) {
            said = said.of_method(&attribute.parse_args_with(Settings::parse_terminated)?)?;
        }
        let taken = Taken::read(signature.inputs.iter().skip(1))?;
        let returns = Returns::read(&signature.output)?;
        if said.notification && !gives_nothing(&returns) {
            let message = "nobody hears what a notification returns: return nothing, or `Result<(), E>`";
            return Err(Error::new(signature.output.span(), message));
        }
        if said.notification
            && let Some((_, stream)) = &taken.stream
        {
            let message =
                "a notification takes no stream: nothing tells whose the items would be; make it a call";
            return Err(Error::new(stream.ident.span(), message));
        }
        if let (Returns::Many { .. }, Some(flag)) =
            (&returns, said.flags.iter().find(|it| ["parallel", "blocking"].contains(it)))
        {
            let message = format!(
                "what gives a stream runs on the task of its connection: spawn the work inside of it, and drop `{flag}`"
            );
            return Err(Error::new(signature.ident.span(), message));
        }
        if signature.ident == "new" {
            let message = "`new` makes the client: call the method something else, \
                           and say `#[procedure(name = \"new\")]` if that is what callers know";
            return Err(Error::new(signature.ident.span(), message));
        }
        let own = said.name.as_ref().map_or_else(|| signature.ident.unraw().to_string(), syn::LitStr::value);
        let name = match &said.scope {
            Some(scope) => format!("{}.{own}", scope.value()),
            None => own,
        };
        let args = (!taken.arguments.is_empty()).then(|| format_ident!("__Args_{}", signature.ident.unraw()));
        Ok(Self { said, name, taken, returns, args, item })
    }

    /// The method as the trait has it.
    pub(super) fn definition(&self) -> TokenStream {
        let TraitItemFn { attrs, sig, default, .. } = &self.item;
        let keyword = &sig.fn_token;
        let attributes = attrs.iter().filter(|it| !it.path().is_ident("procedure"));
        let (ident, inputs) = (&sig.ident, sig.inputs.iter().map(bare));
        let output = Returns::in_trait(&sig.output);
        let body = match default {
            Some(block) => quote!({ async move #block }),
            None => quote!(;),
        };
        quote! {
            #(#attributes)*
            #[allow(clippy::manual_async_fn, reason = "the future is to be `Send`")]
            #keyword #ident(#(#inputs),*)
                -> impl ::core::future::Future<Output = #output> + ::core::marker::Send #body
        }
    }

    /// The type that its arguments travel as.
    pub(super) fn args(&self) -> TokenStream {
        match &self.args {
            Some(args) => quote!(#args),
            None => quote!(::trunkline::__private::NoArgs),
        }
    }

    /// What its types have to be, said where each of them stands. It is said of the
    /// impls as a whole, so that the compiler takes it for granted inside of them:
    /// it complains of a type once, and not of all that follows from it.
    pub(super) fn bounds(&self) -> TokenStream {
        let extracted =
            |kind: &Type| quote_spanned!(kind.span() => #kind: ::trunkline::__private::Extracted,);
        let fails = |error: TokenStream| quote_spanned!(error.span() => #error: ::trunkline::TypedFault,);
        let (Returns::One(value) | Returns::Many { item: value, .. }) = &self.returns;
        let arguments = self.taken.travelling().map(travels);
        let result = travels(value.decoded());
        let extractors = self.taken.extractors.iter().map(extracted);
        let error = self.returns.error().map(fails);
        quote!(#(#arguments)* #result #(#extractors)* #error)
    }

    /// The same, as questions.
    pub(super) fn asked(&self) -> TokenStream {
        let travels =
            |kind: &Type| quote_spanned!(kind.span() => ::trunkline::__private::travels::<#kind>(););
        let extracted =
            |kind: &Type| quote_spanned!(kind.span() => ::trunkline::__private::extracted::<#kind>(););
        let (Returns::One(value) | Returns::Many { item: value, .. }) = &self.returns;
        let arguments = self.taken.travelling().map(travels);
        let result = travels(value.decoded());
        let extractors = self.taken.extractors.iter().map(extracted);
        quote!(#(#arguments)* #result #(#extractors)*)
    }

    /// The struct that its arguments travel as.
    pub(super) fn structure(&self) -> Option<TokenStream> {
        let args = self.args.as_ref()?;
        let conditions = notes::conditions(&self.item.attrs);
        let conditions = quote!(#(#conditions)*);
        let fields = self.taken.arguments.iter().map(|it| it.field(args));
        let bounds = self.taken.arguments.iter().map(|it| travels(&it.kind));
        let defaults = self.taken.arguments.iter().filter_map(|it| it.default_value(args));
        Some(quote! {
            #conditions
            #[derive(
                ::trunkline::__private::serde::Deserialize,
                ::trunkline::__private::serde::Serialize,
                ::trunkline::schemars::JsonSchema,
            )]
            #[serde(crate = "::trunkline::__private::serde")]
            #[schemars(crate = "::trunkline::schemars")]
            #[allow(non_camel_case_types, reason = "it has the name of the method")]
            struct #args
            where
                #(#bounds)*
            { #(#fields),* }
            #(
                #conditions
                #[allow(non_snake_case, reason = "it has the name of the struct")]
                #defaults
            )*
        })
    }
}

fn travels(kind: &Type) -> TokenStream {
    quote_spanned!(kind.span() => #kind: ::trunkline::__private::Travels,)
}

fn gives_nothing(returns: &Returns) -> bool {
    matches!(returns, Returns::One(value) if value.is_unit())
}

/// Refuses what no procedure can be.
fn plain(signature: &Signature) -> Result<()> {
    if let Some(generics) = signature.generics.params.first() {
        let message =
            "a procedure has one signature, which callers know: use concrete types in place of generics";
        return Err(Error::new(generics.span(), message));
    }
    if let Some(clause) = &signature.generics.where_clause {
        return Err(Error::new(
            clause.span(),
            "a procedure has no type parameters to say anything of: drop the `where`",
        ));
    }
    let name = &signature.ident;
    match signature.inputs.first() {
        Some(FnArg::Receiver(it))
            if it.reference.is_some() && it.mutability.is_none() && it.colon_token.is_none() => {}
        Some(FnArg::Receiver(it)) => {
            let message = "calls run side by side, so a method takes `&self`; what changes lives in a `Mutex` or an atomic";
            return Err(Error::new(it.span(), message));
        }
        _ => {
            let message =
                format!("a method is called on the service: begin with `&self`, `async fn {name}(&self, …)`");
            return Err(Error::new(name.span(), message));
        }
    }
    if signature.asyncness.is_none() {
        return Err(Error::new(
            signature.fn_token.span(),
            format!("calls take time on the client's side: write `async fn {name}`"),
        ));
    }
    if let Some(it) = &signature.unsafety {
        return Err(Error::new(
            it.span(),
            "whoever calls over a wire cannot promise anything: drop `unsafe`",
        ));
    }
    Ok(())
}
