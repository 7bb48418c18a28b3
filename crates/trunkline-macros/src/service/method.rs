//! [`Method`]: one method of the trait, which becomes one procedure.

use super::{
    argument::{Argument, Taken, unmark},
    returns::Returns,
    said::Said,
};
use crate::{notes, once::once, setting};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, Error, FnArg, Ident, Path, Result, Signature, TraitItemFn, Type, ext::IdentExt,
    spanned::Spanned,
};

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
        let said =
            said.of_method(&setting::of_attributes(&item.attrs, "procedure", "#[procedure(idempotent)]")?)?;
        let taken = Taken::read(signature.inputs.iter().skip(1))?;
        let returns = Returns::read(&signature.output)?;
        if said.notification && !gives_nothing(&returns) {
            let message = "nobody hears what a notification returns: return nothing, or `Result<(), E>`";
            return Err(Error::new_spanned(&signature.output, message));
        }
        if said.notification
            && let Some((_, stream)) = &taken.stream
        {
            let message =
                "a notification takes no stream: nothing tells whose the items would be; make it a call";
            return Err(Error::new_spanned(&stream.ident, message));
        }
        if let (Returns::Many { .. }, Some(flag)) =
            (&returns, said.flags.iter().find(|it| ["parallel", "blocking"].contains(it)))
        {
            let message = format!(
                "what gives a stream runs on the task of its connection: spawn the work inside of it, and drop `{flag}`"
            );
            return Err(Error::new_spanned(&signature.ident, message));
        }
        if signature.ident == "new" {
            let message = "`new` makes the client: call the method something else, \
                           and say `#[procedure(name = \"new\")]` if that is what callers know";
            return Err(Error::new_spanned(&signature.ident, message));
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
    pub(super) fn definition(&self, facade: &Path) -> TokenStream {
        let mut item = self.item.clone();
        unmark(&mut item);
        for input in &mut item.sig.inputs {
            if let (FnArg::Typed(input), Some((_, stream))) = (input, &self.taken.stream)
                && stream.is_named(&input.pat)
            {
                *input.ty = stream.incoming(facade);
            }
        }
        let TraitItemFn { attrs, sig, default, .. } = &item;
        let (keyword, ident, inputs) = (&sig.fn_token, &sig.ident, &sig.inputs);
        let output = Returns::in_trait(&sig.output);
        let body = match default {
            Some(block) => quote!({ async move #block }),
            None => quote!(;),
        };
        quote! {
            #(#attrs)*
            #[allow(clippy::manual_async_fn, reason = "the future is to be `Send`")]
            #keyword #ident(#inputs)
                -> impl ::core::future::Future<Output = #output> + ::core::marker::Send #body
        }
    }

    /// The type that its arguments travel as.
    pub(super) fn args(&self) -> TokenStream {
        match &self.args {
            Some(args) => quote!(#args),
            None => quote!(__trunkline::__private::NoArgs),
        }
    }

    /// The attributes by which it may be left out.
    pub(super) fn conditions(&self) -> Vec<Attribute> {
        notes::conditions(&self.item.attrs)
    }

    /// What its types have to be, said where each of them stands. It is said of the
    /// impls as a whole, so that the compiler takes it for granted inside of them:
    /// it complains of a type once, and not of all that follows from it.
    pub(super) fn bounds(&self) -> Vec<TokenStream> {
        let extracted =
            |kind: &Type| quote_spanned!(kind.span() => #kind: __trunkline::__private::Extracted,);
        let fails = |error: TokenStream| quote_spanned!(error.span() => #error: __trunkline::TypedFault,);
        let extractors = self.taken.extractors.iter().map(extracted);
        let error = self.returns.error().map(fails);
        self.travelling().map(travels).chain(extractors).chain(error).collect()
    }

    /// The same, as questions.
    pub(super) fn asked(&self) -> Vec<TokenStream> {
        let travels =
            |kind: &Type| quote_spanned!(kind.span() => __trunkline::__private::travels::<#kind>(););
        let extracted =
            |kind: &Type| quote_spanned!(kind.span() => __trunkline::__private::extracted::<#kind>(););
        let extractors = self.taken.extractors.iter().map(extracted);
        self.travelling().map(travels).chain(extractors).collect()
    }

    /// The types that travel, there or back.
    fn travelling(&self) -> impl Iterator<Item = &Type> {
        let (Returns::One(value) | Returns::Many { item: value, .. }) = &self.returns;
        self.taken.travelling().chain([value.decoded()])
    }

    /// The struct that its arguments travel as.
    pub(super) fn structure(&self) -> Option<TokenStream> {
        let args = self.args.as_ref()?;
        let conditions = self.conditions();
        let conditions = quote!(#(#conditions)*);
        let fields = self.taken.arguments.iter().map(|it| it.field(args));
        let bounds = once(self.taken.arguments.iter().map(|it| travels(&it.kind)));
        let mut defaults = self.taken.arguments.iter().filter_map(Argument::default_value).peekable();
        let defaults = defaults.peek().is_some().then(|| {
            quote! {
                #conditions
                #[allow(non_snake_case, reason = "they have the names of the arguments")]
                impl #args
                where
                    #bounds
                { #(#defaults)* }
            }
        });
        Some(quote! {
            #conditions
            #[derive(
                __trunkline::__private::serde::Deserialize,
                __trunkline::__private::serde::Serialize,
                __trunkline::schemars::JsonSchema,
            )]
            #[serde(crate = "__trunkline::__private::serde")]
            #[schemars(crate = "__trunkline::schemars")]
            #[allow(non_camel_case_types, reason = "it has the name of the method")]
            struct #args
            where
                #bounds
            { #(#fields),* }
            #defaults
        })
    }
}

fn travels(kind: &Type) -> TokenStream {
    quote_spanned!(kind.span() => #kind: __trunkline::__private::Travels,)
}

fn gives_nothing(returns: &Returns) -> bool {
    matches!(returns, Returns::One(value) if value.is_unit())
}

/// Refuses what no procedure can be.
fn plain(signature: &Signature) -> Result<()> {
    if let Some(generics) = signature.generics.params.first() {
        let message =
            "a procedure has one signature, which callers know: use concrete types in place of generics";
        return Err(Error::new_spanned(generics, message));
    }
    if let Some(clause) = &signature.generics.where_clause {
        return Err(Error::new_spanned(
            clause,
            "a procedure has no type parameters to say anything of: drop the `where`",
        ));
    }
    let name = &signature.ident;
    match signature.inputs.first() {
        Some(FnArg::Receiver(it))
            if it.reference.is_some() && it.mutability.is_none() && it.colon_token.is_none() => {}
        Some(FnArg::Receiver(it)) => {
            let message = "calls run side by side, so a method takes `&self`; what changes lives in a `Mutex` or an atomic";
            return Err(Error::new_spanned(it, message));
        }
        _ => {
            let message =
                format!("a method is called on the service: begin with `&self`, `async fn {name}(&self, …)`");
            return Err(Error::new_spanned(name, message));
        }
    }
    if signature.asyncness.is_none() {
        return Err(Error::new_spanned(
            signature.fn_token,
            format!("calls take time on the client's side: write `async fn {name}`"),
        ));
    }
    if let Some(it) = &signature.unsafety {
        return Err(Error::new_spanned(
            it,
            "whoever calls over a wire cannot promise anything: drop `unsafe`",
        ));
    }
    Ok(())
}
