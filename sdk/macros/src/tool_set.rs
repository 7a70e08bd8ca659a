//! `#[tools]`: the marked functions of a type become tools.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, ImplItem, ItemImpl, Meta};

use crate::signature::Mistakes;
use crate::tool::Tool;

/// The block as it stays, and beside it the list of its tools.
pub(crate) fn expand(keys: TokenStream, mut block: ItemImpl) -> TokenStream {
    let mut mistakes = Mistakes::default();
    check(&keys, &block, &mut mistakes);
    let tools = read(&mut block, &mut mistakes);
    let owner = block.self_ty.to_token_stream();
    let items = tools.iter().map(Tool::items);
    let entries = tools.iter().map(|tool| tool.entry(Some(&owner)));
    let (items, entries, error) = match mistakes.check() {
        Ok(()) => (quote!(#(#items)*), quote!(#(#entries),*), TokenStream::new()),
        Err(error) => (TokenStream::new(), TokenStream::new(), error.into_compile_error()),
    };
    quote! {
        #error
        #block
        const _: () = {
            #items
            impl ::hubcap_sdk::macros::ToolSet for #owner {
                const TOOLS: &'static [::hubcap_sdk::macros::ToolEntry] = &[#entries];
            }
        };
    }
}

fn check(keys: &TokenStream, block: &ItemImpl, mistakes: &mut Mistakes) {
    if !keys.is_empty() {
        mistakes.at(keys, "`tools` takes nothing: what is about one tool belongs into its `#[tool(…)]`");
    }
    if !block.generics.params.is_empty() {
        mistakes.at(&block.generics, "tools cannot be generic: write the block for one type");
    }
    if let Some((path, _)) = &block.trait_ {
        mistakes.at(path, "write the tools in the type's own block: `impl Type`, without a trait");
    }
}

fn read(block: &mut ItemImpl, mistakes: &mut Mistakes) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    let mut marked = false;
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let Some(keys) = take_marker(&mut function.attrs, mistakes) else { continue };
        marked = true;
        let read = Tool::read(keys, &function.attrs, &mut function.sig, true);
        let Some(tool) = mistakes.take(read) else { continue };
        if tools.iter().any(|other| other.name.text.eq_ignore_ascii_case(&tool.name.text)) {
            mistakes.add(Error::new(tool.name.span, duplicate(&tool.name.text)));
        }
        tools.push(tool);
    }
    if !marked {
        mistakes.at(
            &block.self_ty,
            "there is no tool in this block: mark the functions that are tools with `#[tool]`",
        );
    }
    tools
}

fn duplicate(name: &str) -> String {
    format!(
        "two tools of this plugin are called `{name}` (case does not count): rename one, or set `name = \"…\"`"
    )
}

/// Takes `#[tool]` off a function and gives the tokens inside.
fn take_marker(attributes: &mut Vec<Attribute>, mistakes: &mut Mistakes) -> Option<TokenStream> {
    let is_marker =
        |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "tool");
    let index = attributes.iter().position(is_marker)?;
    match attributes.remove(index).meta {
        Meta::Path(_) => Some(TokenStream::new()),
        Meta::List(list) => Some(list.tokens),
        other => {
            mistakes.at(&other, "write `#[tool]` or `#[tool(name = \"…\")]`");
            None
        }
    }
}
