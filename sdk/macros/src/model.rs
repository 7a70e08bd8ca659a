//! `#[model]`: a function that answers a conversation becomes a model of a provider.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, ItemFn, LitInt, Signature};

use crate::doc;
use crate::keys::Keys;
use crate::name::Name;
use crate::returned::Returned;
use crate::signature::{self, Mistakes};
use crate::tool::marker;

/// The keys of `#[model(…)]`.
const KEYS: [&str; 3] = ["id", "title", "context_tokens"];
/// Characters of an id.
const MAX_ID: usize = 128;

/// The function as it stays, and beside it a type of the same name that `plugin!` finds it by.
pub(crate) fn expand(keys: TokenStream, function: ItemFn) -> TokenStream {
    let entry = entry(keys, &function);
    let marker = marker(&function);
    let name = &function.sig.ident;
    let (entry, error) = match entry {
        Ok(entry) => (entry, TokenStream::new()),
        Err(error) => (quote!(::hubcap_sdk::macros::ModelEntry::broken()), error.into_compile_error()),
    };
    quote! {
        #error
        #function
        #marker
        impl ::hubcap_sdk::macros::IsModel for #name {
            const MODEL: ::hubcap_sdk::macros::ModelEntry = #entry;
        }
    }
}

fn entry(keys: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let mut mistakes = Mistakes::default();
    let signature = &function.sig;
    signature::check("model", signature, &mut mistakes);
    check_parameters(signature, &mut mistakes);
    let keyed = Keys::read("model", &KEYS, keys).and_then(|keys| Keyed::read(&keys, function));
    let keyed = mistakes.take(keyed);
    mistakes.check()?;
    let Some(Keyed { id, title, context_tokens }) = keyed else {
        return Err(syn::Error::new_spanned(&signature.ident, "this function cannot be read as a model"));
    };
    let context_tokens = match context_tokens {
        Some(number) => quote!(::core::option::Option::Some(#number)),
        None => quote!(::core::option::Option::None),
    };
    let complete = complete(signature);
    Ok(quote! {
        ::hubcap_sdk::macros::ModelEntry {
            id: #id,
            title: #title,
            context_tokens: #context_tokens,
            complete: #complete,
        }
    })
}

/// The request, and the context where it is asked for.
fn check_parameters(signature: &Signature, mistakes: &mut Mistakes) {
    if !(1..=2).contains(&signature.inputs.len()) || signature.receiver().is_some() {
        let place =
            if signature.inputs.is_empty() { signature.ident.span() } else { signature.inputs.span() };
        let message = "a model answers a conversation: take `request: Request`, and `context: Context` after it where needed";
        mistakes.add(syn::Error::new(place, message));
    }
}

fn complete(signature: &Signature) -> TokenStream {
    let local = |name: &str| Ident::new(name, Span::mixed_site());
    let (request, context) = (local("request"), local("context"));
    let function = &signature.ident;
    // At the span of the type, which is what a message about the call is about.
    let returned = Returned::of(signature);
    let call = match signature.inputs.len() {
        1 => quote_spanned!(returned.span=> #function(#request)),
        _ => quote_spanned!(returned.span=> #function(#request, #context)),
    };
    let result = returned.convert(&call, "completion");
    quote_spanned! { Span::mixed_site()=>
        |#request, #context| {
            let _ = &#context;
            #result
        }
    }
}

/// What the keys and the doc comment say.
struct Keyed {
    id: String,
    title: String,
    context_tokens: Option<LitInt>,
}

impl Keyed {
    fn read(keys: &Keys, function: &ItemFn) -> syn::Result<Self> {
        let name = &function.sig.ident;
        let id = Name::with_hyphens(keys.text("id")?, name);
        let holds = (1..=MAX_ID).contains(&id.text.chars().count()) && !id.text.chars().any(char::is_control);
        id.check("model", "id", "1 to 128 characters that can be seen", holds)?;
        let description = doc::description(
            "model",
            name,
            &function.attrs,
            "because people choose models by its first line",
        )?;
        let title = keys.text("title")?.map(syn::LitStr::value);
        let title = title.unwrap_or_else(|| doc::title(&description).to_owned());
        Ok(Self { id: id.text, title, context_tokens: keys.number("context_tokens")?.cloned() })
    }
}
