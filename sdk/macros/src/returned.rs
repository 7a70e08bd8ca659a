//! Turning what a function returns into what crosses to the host.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

/// The return type and where messages about it point.
pub(crate) struct Returned {
    /// The type as written.
    pub kind: TokenStream,
    /// Where it is written, or the function's name where nothing is.
    pub span: Span,
}

impl Returned {
    /// Of a signature.
    pub(crate) fn of(signature: &syn::Signature) -> Self {
        match &signature.output {
            ReturnType::Default => Self { kind: quote!(()), span: signature.ident.span() },
            ReturnType::Type(_, kind) => Self { kind: kind.to_token_stream(), span: kind.span() },
        }
    }

    /// Code for the result of `call` through `convert`, a method of `Returned` for what the function
    /// returns besides an error. Whatever error it returns becomes the SDK's.
    pub(crate) fn convert(&self, call: &TokenStream, convert: &str) -> TokenStream {
        let convert = syn::Ident::new(convert, self.span);
        // All of it at the span of the type: a type without the conversion is marked there.
        let value = syn::Ident::new("__returned", self.span);
        let body = quote_spanned! { self.span=>
            match ::hubcap_sdk::macros::Returned(#call).split() {
                ::core::result::Result::Ok(#value) => #value.#convert(),
                ::core::result::Result::Err(#value) => ::core::result::Result::Err(#value.into_error()),
            }
        };
        quote! {
            {
                #[allow(unused_imports)]
                use ::hubcap_sdk::macros::{AnyError as _, AnyResult as _, AnyType as _};
                #body
            }
        }
    }
}

/// Whether a type is written with `impl`, which no other place can name.
pub(crate) fn is_anonymous(kind: &Type) -> bool {
    matches!(kind, Type::ImplTrait(_))
}
