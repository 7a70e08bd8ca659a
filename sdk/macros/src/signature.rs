//! What a function has to look like to be called from outside.
//!
//! Invariant: all mistakes of a signature are told at once, each at its place with what to write instead.

use syn::spanned::Spanned;
use syn::{Attribute, Error, FnArg, Ident, Pat, ReceiverKind, ReturnType, Signature, Type};

use crate::returned::is_anonymous;

/// Attributes of a parameter that go to its field.
const FORWARDED: [&str; 3] = ["doc", "serde", "schemars"];

/// A parameter that is one argument.
pub(crate) struct Parameter {
    /// Its name, which is the argument's.
    pub name: Ident,
    /// Its type.
    pub kind: Type,
    /// Its doc comment and what is for serde and schemars.
    pub attributes: Vec<Attribute>,
}

/// The parameters of a tool.
pub(crate) struct Parameters {
    /// One for each argument, or the single one that holds them all.
    pub arguments: Vec<Parameter>,
    /// The single argument is marked with `#[args]`.
    pub all_in_one: bool,
    /// The last parameter is the context.
    pub context: bool,
}

/// Collects mistakes, so that one does not hide another.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    /// Notes a mistake at a place.
    pub(crate) fn at(&mut self, place: &impl Spanned, message: impl std::fmt::Display) {
        self.add(Error::new(place.span(), message));
    }

    /// Notes a mistake.
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or notes the mistake.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Fails where there was a mistake.
    pub(crate) fn check(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Notes what no function that the host calls can have.
pub(crate) fn check(what: &str, signature: &Signature, mistakes: &mut Mistakes) {
    if let Some(place) = &signature.asyncness {
        mistakes.at(
            place,
            format!(
                "a {what} cannot be `async`: a plugin waits for each import, so remove `async`; for several things at \
                 once use `hubcap_sdk::handle::join`"
            ),
        );
    }
    if !signature.generics.params.is_empty() {
        mistakes.at(
            &signature.generics,
            format!("a {what} cannot be generic: agents send JSON, so write the types that it takes"),
        );
    }
    if let Some(place) = &signature.abi {
        mistakes.at(place, format!("a {what} is an ordinary function: remove `extern`"));
    }
    if let syn::Safety::Unsafe(place) = &signature.safety {
        mistakes.at(place, format!("a {what} cannot be `unsafe`: remove `unsafe`"));
    }
    if let Some(place) = &signature.variadic {
        mistakes.at(place, format!("a {what} takes a fixed number of parameters: take a `Vec<…>` instead"));
    }
    if let ReturnType::Type(_, kind) = &signature.output
        && is_anonymous(kind)
    {
        mistakes.at(kind, "name the type that is returned: `impl` leaves no schema to write");
    }
}

/// Reads the parameters of a tool and takes the attributes off them that only the macro knows.
pub(crate) fn parameters(
    signature: &mut Signature,
    receiver_is_fine: bool,
    mistakes: &mut Mistakes,
) -> Parameters {
    let mut found = Parameters { arguments: Vec::new(), all_in_one: false, context: false };
    for input in &mut signature.inputs {
        let typed = match input {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(receiver) => {
                refuse_receiver(receiver, receiver_is_fine, mistakes);
                continue;
            }
        };
        let all_in_one = typed.attrs.iter().any(|attribute| attribute.path().is_ident("args"));
        let attributes = take_attributes(&mut typed.attrs);
        if found.context {
            let message = if is_context(&typed.ty) {
                "there is one `Context` for a call: remove this parameter"
            } else {
                "`Context` is the last parameter: put this one before it"
            };
            mistakes.at(&typed.ty, message);
        } else if is_context(&typed.ty) {
            found.context = true;
        } else if let Some(name) = argument_name(&typed.pat, mistakes) {
            check_kind(&name, &typed.ty, mistakes);
            found.all_in_one |= all_in_one;
            found.arguments.push(Parameter { name, kind: (*typed.ty).clone(), attributes });
        }
    }
    check_all_in_one(&found, mistakes);
    found
}

fn refuse_receiver(receiver: &syn::Receiver, fine: bool, mistakes: &mut Mistakes) {
    if !fine {
        mistakes.at(
            receiver,
            "a tool has no `self`, because every call has an instance of its own: remove it (settings come from \
             `hubcap_sdk::config`), or put `#[hubcap_sdk::tools]` on the `impl` block of a unit struct",
        );
    } else if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        mistakes.at(receiver, "a unit struct has nothing to change or to give away: write `&self`");
    }
}

/// Takes off what the compiler would not know, and gives back what belongs to the argument's field.
fn take_attributes(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let forwarded = |attribute: &Attribute| FORWARDED.iter().any(|name| attribute.path().is_ident(name));
    let taken = attributes.iter().filter(|attribute| forwarded(attribute)).cloned().collect();
    attributes.retain(|attribute| !forwarded(attribute) && !attribute.path().is_ident("args"));
    taken
}

/// Whether a type is the SDK's `Context`, by its name.
pub(crate) fn is_context(kind: &Type) -> bool {
    match kind {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Context"),
        _ => false,
    }
}

fn argument_name(pattern: &Pat, mistakes: &mut Mistakes) -> Option<Ident> {
    match pattern {
        Pat::Ident(plain) if plain.by_ref.is_none() && plain.subpat.is_none() => Some(plain.ident.clone()),
        _ => {
            mistakes.at(pattern, "a parameter is an argument by its name: write a name here, not a pattern");
            None
        }
    }
}

fn check_kind(name: &Ident, kind: &Type, mistakes: &mut Mistakes) {
    match kind {
        Type::Reference(reference) => {
            let owned = owned(&reference.elem);
            let message = format!(
                "the argument `{name}` comes out of JSON and has no owner to borrow from: take {owned}"
            );
            mistakes.at(kind, message);
        }
        Type::ImplTrait(_) => mistakes
            .at(kind, format!("a tool cannot be generic: agents send JSON, so write the type of `{name}`")),
        _ => {}
    }
}

/// What to write instead of a reference.
fn owned(kind: &Type) -> String {
    use quote::ToTokens;
    match kind {
        Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
        Type::Slice(slice) => {
            format!("`Vec<{}>`", slice.elem.to_token_stream())
        }
        other => format!("`{}`", other.to_token_stream()),
    }
}

fn check_all_in_one(found: &Parameters, mistakes: &mut Mistakes) {
    if found.all_in_one && found.arguments.len() > 1 {
        for parameter in &found.arguments {
            mistakes.at(
                &parameter.name,
                "`#[args]` marks the one parameter that holds all arguments: make the others fields of it, or \
                 remove `#[args]`",
            );
        }
    }
}
