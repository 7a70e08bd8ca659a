//! `#[rule]`: a function over a text becomes a rule of a validator.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ItemFn, Signature};

use crate::doc;
use crate::keys::Keys;
use crate::name::{Name, suggest};
use crate::returned::Returned;
use crate::signature::{self, Mistakes};
use crate::tool::marker;

/// The keys of `#[rule(…)]`.
const KEYS: [&str; 3] = ["id", "title", "severity"];
/// The values of `severity`, and the SDK's own names for them.
const SEVERITIES: [&str; 3] = ["note", "warning", "error"];
/// Characters of an id.
const MAX_ID: usize = 64;

/// The function as it stays, and beside it a type of the same name that `plugin!` finds it by.
pub(crate) fn expand(keys: TokenStream, function: ItemFn) -> TokenStream {
    let entry = entry(keys, &function);
    let marker = marker(&function);
    let name = &function.sig.ident;
    let implementation = match entry {
        Ok(entry) => quote! {
            impl ::hubcap_sdk::macros::IsRule for #name {
                const RULE: ::hubcap_sdk::macros::RuleEntry = #entry;
            }
        },
        Err(error) => {
            let error = error.into_compile_error();
            quote! {
                #error
                impl ::hubcap_sdk::macros::IsRule for #name {
                    const RULE: ::hubcap_sdk::macros::RuleEntry = ::hubcap_sdk::macros::RuleEntry::broken();
                }
            }
        }
    };
    quote! {
        #function
        #marker
        #implementation
    }
}

fn entry(keys: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let mut mistakes = Mistakes::default();
    let signature = &function.sig;
    signature::check("rule", signature, &mut mistakes);
    check_parameters(signature, &mut mistakes);
    let description = mistakes.take(doc::description(
        "rule",
        &signature.ident,
        &function.attrs,
        "because people read there what it finds",
    ));
    let keyed =
        mistakes.take(Keys::read("rule", &KEYS, keys).and_then(|keys| Keyed::read(&keys, &signature.ident)));
    mistakes.check()?;
    let (Some(description), Some(Keyed { id, title, severity })) = (description, keyed) else {
        return Err(syn::Error::new_spanned(&signature.ident, "this function cannot be read as a rule"));
    };
    let title = title.unwrap_or_else(|| doc::title(&description).to_owned());
    let judge = judge(signature);
    Ok(quote! {
        ::hubcap_sdk::macros::RuleEntry {
            id: #id,
            title: #title,
            description: #description,
            severity: ::hubcap_sdk::Severity::#severity,
            judge: #judge,
        }
    })
}

/// `&Artifact`, and `&Context` where it is asked for.
fn check_parameters(signature: &Signature, mistakes: &mut Mistakes) {
    let fits =
        |input: &FnArg| matches!(input, FnArg::Typed(typed) if matches!(*typed.ty, syn::Type::Reference(_)));
    if !(1..=2).contains(&signature.inputs.len()) || !signature.inputs.iter().all(fits) {
        let place =
            if signature.inputs.is_empty() { signature.ident.span() } else { signature.inputs.span() };
        let message = "a rule looks at a text: take `artifact: &Artifact`, and `context: &Context` after it where needed";
        mistakes.add(syn::Error::new(place, message));
    }
}

fn judge(signature: &Signature) -> TokenStream {
    let local = |name: &str| Ident::new(name, Span::mixed_site());
    let (artifact, context) = (local("artifact"), local("context"));
    let function = &signature.ident;
    // At the span of the type, which is what a message about the call is about.
    let returned = Returned::of(signature);
    let call = match signature.inputs.len() {
        1 => quote_spanned!(returned.span=> #function(#artifact)),
        _ => quote_spanned!(returned.span=> #function(#artifact, #context)),
    };
    let result = returned.convert(&call, "findings");
    quote_spanned! { Span::mixed_site()=>
        |#artifact, #context| {
            let _ = #context;
            #result
        }
    }
}

/// What the keys say.
struct Keyed {
    id: String,
    title: Option<String>,
    severity: Ident,
}

impl Keyed {
    fn read(keys: &Keys, function: &Ident) -> syn::Result<Self> {
        let id = Name::with_hyphens(keys.text("id")?, function);
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let holds = (1..=MAX_ID).contains(&id.text.len()) && id.text.bytes().all(allowed);
        id.check("rule", "id", "1 to 64 of the characters a-z, 0-9 and `-`", holds)?;
        let title = keys.text("title")?.map(syn::LitStr::value);
        Ok(Self { id: id.text, title, severity: severity(keys)? })
    }
}

fn severity(keys: &Keys) -> syn::Result<Ident> {
    let name = match keys.text("severity")? {
        None => "Warning",
        Some(literal) => match literal.value().as_str() {
            "note" => "Note",
            "warning" => "Warning",
            "error" => "Error",
            other => {
                let known = suggest(other, &SEVERITIES).replace("keys", "severities");
                return Err(syn::Error::new_spanned(
                    literal,
                    format!("there is no severity `{other}`: {known}"),
                ));
            }
        },
    };
    Ok(Ident::new(name, Span::call_site()))
}
