//! `plugin!`: the one registration of a plugin.
//!
//! Invariant: what it writes goes through the traits of the SDK, as a hand-written plugin does.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, Path, Result, Token, Type, bracketed};

use crate::name::suggest;
use crate::returned::Returned;

/// The keys of `plugin!`.
const KEYS: [&str; 8] = ["tools", "rules", "validator", "models", "provider", "config", "init", "health"];

/// What a plugin is made of.
#[derive(Default)]
pub(crate) struct Registration {
    tools: Option<Vec<Type>>,
    rules: Option<Vec<Type>>,
    validator: Option<Type>,
    models: Option<Vec<Type>>,
    provider: Option<Type>,
    config: Option<Type>,
    init: Option<Path>,
    health: Option<Path>,
}

impl Parse for Registration {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut registration = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            if seen.contains(&key) {
                return Err(Error::new_spanned(&key, format!("`{key}` is given twice: remove one")));
            }
            input.parse::<Token![:]>()?;
            registration.read(&key, input)?;
            seen.push(key);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        registration.check(&seen, input)?;
        Ok(registration)
    }
}

impl Registration {
    fn read(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "tools" => self.tools = Some(list(key, input)?),
            "rules" => self.rules = Some(list(key, input)?),
            "models" => self.models = Some(list(key, input)?),
            "validator" => self.validator = Some(input.parse()?),
            "provider" => self.provider = Some(input.parse()?),
            "config" => self.config = Some(input.parse()?),
            "init" => self.init = Some(input.parse()?),
            "health" => self.health = Some(input.parse()?),
            other => {
                let suggestion = suggest(other, &KEYS);
                return Err(Error::new_spanned(key, format!("`plugin!` has no key `{other}`: {suggestion}")));
            }
        }
        Ok(())
    }

    fn check(&self, seen: &[Ident], input: ParseStream<'_>) -> Result<()> {
        for (functions, whole) in [("rules", "validator"), ("models", "provider")] {
            if let (true, Some(second)) =
                (seen.iter().any(|key| key == functions), seen.iter().find(|key| *key == whole))
            {
                let message = format!("`{functions}` and `{whole}` are two ways to the same kind: keep one");
                return Err(Error::new_spanned(second, message));
            }
        }
        if self.kinds().is_empty() {
            let message = "a plugin is at least one kind: write `tools: [a_function]`, `rules: […]`, `validator: Type`, \
                           `models: […]` or `provider: Type`";
            return Err(input.error(message));
        }
        Ok(())
    }

    fn kinds(&self) -> Vec<TokenStream> {
        let mut kinds = Vec::new();
        if self.tools.is_some() {
            kinds.push(quote!(tools));
        }
        if self.rules.is_some() || self.validator.is_some() {
            kinds.push(quote!(validators));
        }
        if self.models.is_some() || self.provider.is_some() {
            kinds.push(quote!(providers));
        }
        kinds
    }

    /// `impl Plugin`.
    fn lifecycle(&self) -> TokenStream {
        let parts = self
            .validator
            .iter()
            .chain(&self.provider)
            .map(|part| quote_spanned!(part.span()=> <#part as ::hubcap_sdk::Plugin>::init(config)?;));
        let config = self.config.iter().map(|kind| {
            quote_spanned!(kind.span()=> ::hubcap_sdk::config::set(::hubcap_sdk::macros::configuration::<#kind>(config)?);)
        });
        let init = self.init.iter().map(|path| {
            let call = result_of(path, "nothing");
            quote!({ let done: ::core::result::Result<(), ::hubcap_sdk::Error> = #call; done?; })
        });
        let health = self.health.iter().map(|path| {
            let call = result_of(path, "status");
            quote! {
                fn health() -> ::core::result::Result<::hubcap_sdk::Status, ::hubcap_sdk::Error> {
                    #call
                }
            }
        });
        quote! {
            impl ::hubcap_sdk::Plugin for ThisPlugin {
                fn init(config: &str) -> ::core::result::Result<(), ::hubcap_sdk::Error> {
                    let _ = config;
                    #(#config)*
                    #(#parts)*
                    #(#init)*
                    ::core::result::Result::Ok(())
                }
                #(#health)*
            }
        }
    }

    fn tools(&self) -> Option<TokenStream> {
        let tools = self.tools.as_ref()?;
        let sets = tools.iter().map(tool_set);
        let checks = each_with_those_before(tools, |tools| {
            let sets = tools.iter().map(tool_set);
            quote!(::hubcap_sdk::macros::unique_tools(&[#(#sets),*]))
        });
        Some(quote! {
            #checks
            impl ::hubcap_sdk::Tools for ThisPlugin {
                fn list_tools() -> ::core::result::Result<::std::vec::Vec<::hubcap_sdk::Tool>, ::hubcap_sdk::Error> {
                    ::hubcap_sdk::macros::list_tools(Self::SETS)
                }

                fn call_tool(
                    name: &str,
                    arguments: &str,
                    context: ::hubcap_sdk::Context,
                ) -> ::core::result::Result<::hubcap_sdk::Output, ::hubcap_sdk::Error> {
                    ::hubcap_sdk::macros::call_tool(Self::SETS, name, arguments, context)
                }
            }

            impl ThisPlugin {
                const SETS: &'static [&'static [::hubcap_sdk::macros::ToolEntry]] = &[#(#sets),*];
            }
        })
    }

    fn validators(&self) -> Option<TokenStream> {
        let (checks, list, validate) = match (&self.rules, &self.validator) {
            (Some(rules), _) => {
                let entries = rules.iter().map(rule);
                let checks = each_with_those_before(rules, |rules| {
                    let ids = rules.iter().map(|one| {
                        let one = rule(one);
                        quote!(#one.id)
                    });
                    quote!(::hubcap_sdk::macros::unique_rules(&[#(#ids),*]))
                });
                let entries = quote!(const { &[#(#entries),*] });
                (
                    checks,
                    quote!(::core::result::Result::Ok(::hubcap_sdk::macros::rules(#entries))),
                    quote!(::hubcap_sdk::macros::validate(#entries, &artifact, &options, &context)),
                )
            }
            (None, Some(part)) => (
                TokenStream::new(),
                quote_spanned!(part.span()=> <#part as ::hubcap_sdk::Validators>::rules()),
                quote!(<#part as ::hubcap_sdk::Validators>::validate(artifact, options, context)),
            ),
            (None, None) => return None,
        };
        Some(quote! {
            #checks
            impl ::hubcap_sdk::Validators for ThisPlugin {
                fn rules() -> ::core::result::Result<::std::vec::Vec<::hubcap_sdk::Rule>, ::hubcap_sdk::Error> {
                    #list
                }

                fn validate(
                    artifact: ::hubcap_sdk::Artifact,
                    options: ::hubcap_sdk::Options,
                    context: ::hubcap_sdk::Context,
                ) -> ::core::result::Result<::hubcap_sdk::Report, ::hubcap_sdk::Error> {
                    #validate
                }
            }
        })
    }

    fn providers(&self) -> Option<TokenStream> {
        let (checks, list, complete) = match (&self.models, &self.provider) {
            (Some(models), _) => {
                let entries = models.iter().map(model);
                let checks = each_with_those_before(models, |models| {
                    let ids = models.iter().map(|one| {
                        let one = model(one);
                        quote!(#one.id)
                    });
                    quote!(::hubcap_sdk::macros::unique_models(&[#(#ids),*]))
                });
                let entries = quote!(const { &[#(#entries),*] });
                (
                    checks,
                    quote!(::core::result::Result::Ok(::hubcap_sdk::macros::models(#entries))),
                    quote!(::hubcap_sdk::macros::complete(#entries, request, context)),
                )
            }
            (None, Some(part)) => (
                TokenStream::new(),
                quote_spanned!(part.span()=> <#part as ::hubcap_sdk::Providers>::models()),
                quote!(<#part as ::hubcap_sdk::Providers>::complete(request, context)),
            ),
            (None, None) => return None,
        };
        Some(quote! {
            #checks
            impl ::hubcap_sdk::Providers for ThisPlugin {
                fn models() -> ::core::result::Result<::std::vec::Vec<::hubcap_sdk::Model>, ::hubcap_sdk::Error> {
                    #list
                }

                fn complete(
                    request: ::hubcap_sdk::Request,
                    context: ::hubcap_sdk::Context,
                ) -> ::core::result::Result<::hubcap_sdk::Completion, ::hubcap_sdk::Error> {
                    #complete
                }
            }
        })
    }
}

fn list(key: &Ident, input: ParseStream<'_>) -> Result<Vec<Type>> {
    if !input.peek(syn::token::Bracket) {
        return Err(input.error(format!("`{key}` is a list of functions: write `{key}: [a_function, …]`")));
    }
    let inside;
    bracketed!(inside in input);
    let listed: Vec<Type> = Punctuated::<Type, Token![,]>::parse_terminated(&inside)?.into_iter().collect();
    if listed.is_empty() {
        return Err(Error::new_spanned(key, format!("`{key}` is empty: name a function, or remove the key")));
    }
    Ok(listed)
}

/// Code that calls a function without parameters and converts what it returns.
fn result_of(path: &Path, convert: &str) -> TokenStream {
    let span = path.span();
    Returned { kind: TokenStream::new(), span }.convert(&quote_spanned!(span=> #path()), convert)
}

fn tool_set(kind: &Type) -> TokenStream {
    quote_spanned!(kind.span()=> <#kind as ::hubcap_sdk::macros::ToolSet>::TOOLS)
}

fn rule(kind: &Type) -> TokenStream {
    quote_spanned!(kind.span()=> <#kind as ::hubcap_sdk::macros::IsRule>::RULE)
}

fn model(kind: &Type) -> TokenStream {
    quote_spanned!(kind.span()=> <#kind as ::hubcap_sdk::macros::IsModel>::MODEL)
}

/// One check while compiling for each but the first, of it and those before it, so that a duplicate is
/// marked where it stands.
fn each_with_those_before(listed: &[Type], check: impl Fn(&[Type]) -> TokenStream) -> TokenStream {
    let checks = (2..=listed.len()).map(|count| {
        let tokens = check(&listed[..count]);
        let span = listed[count - 1].span();
        // The call carries the span of the last one.
        let tokens: TokenStream = tokens
            .into_iter()
            .map(|mut token| {
                token.set_span(span);
                token
            })
            .collect();
        quote_spanned!(span=> const _: () = #tokens;)
    });
    quote!(#(#checks)*)
}

/// The code of a registration.
pub(crate) fn expand(registration: Registration) -> TokenStream {
    let kinds = registration.kinds();
    let lifecycle = registration.lifecycle();
    let uses = kinds.iter().map(|kind| match kind.to_string().as_str() {
        "tools" => quote!(<ThisPlugin as ::hubcap_sdk::Tools>::call_tool),
        "validators" => quote!(<ThisPlugin as ::hubcap_sdk::Validators>::validate),
        _ => quote!(<ThisPlugin as ::hubcap_sdk::Providers>::complete),
    });
    let kind_impls =
        [registration.tools(), registration.validators(), registration.providers()].into_iter().flatten();
    let config = registration
        .config
        .iter()
        .map(|kind| quote_spanned!(kind.span()=> impl ::hubcap_sdk::config::Configuration for #kind {}));
    quote! {
        /// What `plugin!` registered.
        #[allow(dead_code)]
        pub(crate) struct ThisPlugin;
        #lifecycle
        #(#kind_impls)*
        #(#config)*
        // Outside of WebAssembly nothing is exported, and this is what uses the plugin's functions.
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            let _ = <ThisPlugin as ::hubcap_sdk::Plugin>::init;
            #(let _ = #uses;)*
        };
        ::hubcap_sdk::export!(ThisPlugin: #(#kinds),*);
    }
}
