//! `#[tool]`: a typed function with a doc comment becomes a tool.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, ItemFn, Signature, Type};

use crate::doc;
use crate::keys::Keys;
use crate::name::{Name, plain};
use crate::returned::Returned;
use crate::signature::{self, Mistakes, Parameter, Parameters};

/// The keys of `#[tool(…)]`.
const KEYS: [&str; 7] = ["name", "title", "read_only", "destructive", "idempotent", "open_world", "pure"];
/// What `pure` stands for, as the fields of the SDK's `Annotations`.
const HINTS: [(&str, bool); 4] =
    [("read_only", true), ("destructive", false), ("idempotent", true), ("open_world", false)];
/// Types that can always be read, and the ones around them.
const PLAIN: [&str; 17] = [
    "String", "bool", "char", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize", "f32",
    "f64", "Option", "Vec",
];
/// Characters of a name.
const MAX_NAME: usize = 40;

/// A function that is a tool.
pub(crate) struct Tool {
    /// Its name for agents.
    pub name: Name,
    description: String,
    title: Option<String>,
    hints: Vec<TokenStream>,
    parameters: Parameters,
    returned: Returned,
    method: bool,
    function: Ident,
}

impl Tool {
    /// Reads a function, and takes the attributes off its parameters that only the macro knows.
    pub(crate) fn read(
        keys: TokenStream,
        attributes: &[Attribute],
        signature: &mut Signature,
        receiver_is_fine: bool,
    ) -> syn::Result<Self> {
        let mut mistakes = Mistakes::default();
        signature::check("tool", signature, &mut mistakes);
        let method = signature.receiver().is_some();
        let parameters = signature::parameters(signature, receiver_is_fine, &mut mistakes);
        let function = signature.ident.clone();
        let description = mistakes.take(doc::description(
            "tool",
            &function,
            attributes,
            "because agents choose tools by it",
        ));
        let keyed =
            mistakes.take(Keys::read("tool", &KEYS, keys).and_then(|keys| Keyed::read(&keys, &function)));
        mistakes.check()?;
        let (Some(description), Some(Keyed { name, title, hints })) = (description, keyed) else {
            return Err(syn::Error::new_spanned(&function, "this function cannot be read as a tool"));
        };
        let returned = Returned::of(signature);
        Ok(Self { name, description, title, hints, parameters, returned, method, function })
    }

    /// Code for the `ToolEntry`. `owner` is the type whose function this is.
    pub(crate) fn entry(&self, owner: Option<&TokenStream>) -> TokenStream {
        let name = &self.name.text;
        let (define, call) = (self.define(), self.call(owner));
        quote! {
            ::hubcap_sdk::macros::ToolEntry { name: #name, define: #define, call: #call }
        }
    }

    fn define(&self) -> TokenStream {
        let Self { description, hints, returned, .. } = self;
        let name = &self.name.text;
        let title = match &self.title {
            Some(title) => quote!(::core::option::Option::Some(#title)),
            None => quote!(::core::option::Option::None),
        };
        let arguments = self.arguments();
        let kind = &returned.kind;
        let result = quote_spanned! { returned.span=>
            ::hubcap_sdk::macros::ReturnType::<#kind>::new().success().schema()
        };
        quote! {
            || {
                #[allow(unused_imports)]
                use ::hubcap_sdk::macros::{AnySuccess as _, AnySchema as _};
                let annotations = ::hubcap_sdk::Annotations { #(#hints),* };
                ::hubcap_sdk::macros::define::<#arguments>(#name, #title, #description, annotations, #result)
            }
        }
    }

    fn call(&self, owner: Option<&TokenStream>) -> TokenStream {
        let local = |name: &str| Ident::new(name, Span::mixed_site());
        let (json, context) = (local("json"), local("context"));
        let arguments = self.arguments();
        // Names of our own: a parameter may be called like the function.
        let names = self.parameters.arguments.iter().map(|argument| &argument.name);
        let values: Vec<_> = (0..names.len()).map(|index| local(&format!("argument_{index}"))).collect();
        let pattern = match self.parameters.all_in_one {
            true => quote!(::hubcap_sdk::macros::All(#(#values)*)),
            false => {
                let kind = self.own_struct();
                quote!(#kind { #(#names: #values),* })
            }
        };
        let receiver = if self.method { owner.map(|owner| quote!(&#owner)) } else { None };
        let last = self.parameters.context.then_some(&context).map(ToTokens::to_token_stream);
        let values = receiver.into_iter().chain(values.iter().map(ToTokens::to_token_stream)).chain(last);
        let function = &self.function;
        let function = match owner {
            Some(owner) => quote!(<#owner>::#function),
            None => quote!(#function),
        };
        let result = self.returned.convert(&quote!(#function(#(#values),*)), "output");
        quote! {
            |#json, #context| {
                // Where the function does not ask for it.
                let _ = &#context;
                let #pattern = ::hubcap_sdk::macros::read::<#arguments>(#json)?;
                #result
            }
        }
    }

    fn own_struct(&self) -> Ident {
        format_ident!("__Arguments_{}", plain(&self.function))
    }

    /// The type that the arguments are read into.
    fn arguments(&self) -> TokenStream {
        let Parameters { arguments, all_in_one, .. } = &self.parameters;
        let mut own = self.own_struct();
        if let ([only], true) = (arguments.as_slice(), *all_in_one) {
            let kind = &only.kind;
            return quote_spanned!(kind.span()=> ::hubcap_sdk::macros::All<#kind>);
        }
        let open: Vec<_> =
            arguments.iter().filter(|one| is_open(&one.attributes)).map(|one| &one.kind).collect();
        // Where the first type stands that may be one that cannot be read.
        let span = open.iter().find(|kind| !is_plain(kind)).map_or_else(Span::call_site, Spanned::span);
        own.set_span(span);
        quote_spanned!(span=> #own<#(#open),*>)
    }

    /// The items that the entry needs: the struct of the arguments, one field for each.
    ///
    /// The types of most fields are parameters of the struct, so that one which cannot be read is told
    /// once, where the struct is used and in the SDK's words, instead of by each line that serde and
    /// schemars derive.
    pub(crate) fn items(&self) -> TokenStream {
        let Parameters { arguments, all_in_one, .. } = &self.parameters;
        if *all_in_one {
            return TokenStream::new();
        }
        let own = self.own_struct();
        let mut open = Vec::new();
        let mut fields = Vec::new();
        for Parameter { name, kind, attributes } in arguments {
            let kind = if is_open(attributes) {
                open.push(format_ident!("__A{}", open.len()));
                open.last().to_token_stream()
            } else {
                kind.to_token_stream()
            };
            fields.push(quote!(#(#attributes)* #name: #kind));
        }
        quote! {
            #[derive(::hubcap_sdk::macros::serde::Deserialize, ::hubcap_sdk::schemars::JsonSchema)]
            #[serde(crate = "::hubcap_sdk::macros::serde", deny_unknown_fields)]
            #[schemars(crate = "::hubcap_sdk::schemars")]
            #[allow(non_camel_case_types)]
            struct #own<#(#open),*> { #(#fields),* }

            impl<#(#open: ::hubcap_sdk::macros::Argument),*> ::hubcap_sdk::macros::Arguments for #own<#(#open),*> {}
        }
    }
}

/// Whether a type is made of nothing but what can always be read.
fn is_plain(kind: &Type) -> bool {
    kind.to_token_stream().into_iter().all(|token| match token {
        TokenTree::Ident(name) => PLAIN.iter().any(|plain| name == plain),
        TokenTree::Punct(_) => true,
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a field's type can be a parameter of the struct: what is for serde and schemars may need the
/// type itself.
fn is_open(attributes: &[Attribute]) -> bool {
    attributes.iter().all(|attribute| attribute.path().is_ident("doc"))
}

/// What the keys say.
struct Keyed {
    name: Name,
    title: Option<String>,
    hints: Vec<TokenStream>,
}

impl Keyed {
    fn read(keys: &Keys, function: &Ident) -> syn::Result<Self> {
        let name = Name::of(keys.text("name")?, function);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let holds = (1..=MAX_NAME).contains(&name.text.len()) && name.text.bytes().all(allowed);
        name.check("tool", "name", "1 to 40 of the characters a-z, A-Z, 0-9, `_` and `-`", holds)?;
        let title = keys.text("title")?.map(syn::LitStr::value);
        Ok(Self { name, title, hints: hints(keys)? })
    }
}

fn hints(keys: &Keys) -> syn::Result<Vec<TokenStream>> {
    let pure = keys.flag("pure")? == Some(true);
    let mut fields = Vec::new();
    for (key, implied) in HINTS {
        let given = keys.flag(key)?;
        if pure && let Some(place) = keys.place(key) {
            return Err(syn::Error::new_spanned(
                place,
                format!(
                    "`pure` already says `{key} = {implied}`: remove `{key}`, or remove `pure` and list the others"
                ),
            ));
        }
        let field = Ident::new(key, Span::call_site());
        fields.push(match given.or(pure.then_some(implied)) {
            Some(value) => quote!(#field: ::core::option::Option::Some(#value)),
            None => quote!(#field: ::core::option::Option::None),
        });
    }
    Ok(fields)
}

/// The function as it stays, and beside it a type of the same name that `plugin!` finds it by.
pub(crate) fn expand(keys: TokenStream, mut function: ItemFn) -> TokenStream {
    let read = Tool::read(keys, &function.attrs, &mut function.sig, false);
    if let (Err(error), Some(_)) = (&read, function.sig.receiver()) {
        // Most likely in an `impl` block, where there is no room for more.
        let error = error.to_compile_error();
        return quote!(#error #function);
    }
    let marker = marker(&function);
    let name = &function.sig.ident;
    let (items, entries, error) = match read {
        Ok(tool) => (tool.items(), tool.entry(None), TokenStream::new()),
        Err(error) => (TokenStream::new(), TokenStream::new(), error.into_compile_error()),
    };
    quote! {
        #error
        #function
        #marker
        const _: () = {
            #items
            impl ::hubcap_sdk::macros::ToolSet for #name {
                const TOOLS: &'static [::hubcap_sdk::macros::ToolEntry] = &[#entries];
            }
        };
    }
}

/// A type with the name and the visibility of a function: it goes wherever the function's path goes.
pub(crate) fn marker(function: &ItemFn) -> TokenStream {
    let (visibility, name) = (&function.vis, &function.sig.ident);
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #visibility enum #name {}
    }
}
