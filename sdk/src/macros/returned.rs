//! From what a function returns to what crosses to the host.
//!
//! A macro knows a type only by its text, so the choice is the compiler's: a method of the type itself
//! comes before one of a trait. `String`, `Result` and the like have methods of their own here, every
//! other type gets those of the `Any…` traits.

use std::convert::Infallible;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::schema;
use crate::error::with_sources;
use crate::{Code, Completion, Content, Error, Found, Output, Status};

/// What a function returned.
pub struct Returned<T>(pub T);

/// An error that a function returned.
pub struct Failure<E>(E);

impl<T, E> Returned<Result<T, E>> {
    /// Success and error apart.
    ///
    /// # Errors
    /// The function's own.
    pub fn split(self) -> Result<Returned<T>, Failure<E>> {
        self.0.map(Returned).map_err(Failure)
    }
}

/// [`Returned::split`] for what is no `Result`.
pub trait AnyResult: Sized {
    /// Always a success.
    ///
    /// # Errors
    /// None.
    fn split(self) -> Result<Self, Failure<Infallible>> {
        Ok(self)
    }
}

impl<T> AnyResult for Returned<T> {}

impl Failure<Error> {
    /// The error as it is.
    pub fn into_error(self) -> Error {
        self.0
    }
}

impl Failure<Box<dyn std::error::Error>> {
    /// An internal error with its text.
    pub fn into_error(self) -> Error {
        Error::new(Code::Internal, with_sources(&*self.0))
    }
}

/// `into_error` for every other type of error.
pub trait AnyError<E> {
    /// An internal error with its text.
    fn into_error(self) -> Error
    where
        E: Explained;
}

impl<E> AnyError<E> for Failure<E> {
    fn into_error(self) -> Error
    where
        E: Explained,
    {
        Error::new(Code::Internal, with_sources(&*self.0.explain()))
    }
}

/// What `E` may be in the `Result<_, E>` of a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a function that a plugin registers",
    label = "no text for the caller can be made of this",
    note = "return `Result<_, hubcap_sdk::Error>`: `?` turns any `std::error::Error` into it"
)]
pub trait Explained {
    /// The error with its text.
    fn explain(self) -> Box<dyn std::error::Error + Send + Sync>;
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> Explained for E {
    fn explain(self) -> Box<dyn std::error::Error + Send + Sync> {
        self.into()
    }
}

impl Returned<Output> {
    /// As it is.
    ///
    /// # Errors
    /// None.
    pub fn output(self) -> Result<Output, Error> {
        Ok(self.0)
    }
}

impl Returned<Vec<Content>> {
    /// The blocks.
    ///
    /// # Errors
    /// None.
    pub fn output(self) -> Result<Output, Error> {
        Ok(Output { content: self.0, structured: None, meta: Vec::new() })
    }
}

impl Returned<Content> {
    /// One block.
    ///
    /// # Errors
    /// None.
    pub fn output(self) -> Result<Output, Error> {
        Returned(vec![self.0]).output()
    }
}

impl Returned<()> {
    /// A word, so that an agent does not wonder about an empty answer.
    ///
    /// # Errors
    /// None.
    pub fn output(self) -> Result<Output, Error> {
        Ok(Output::text("done"))
    }
}

/// `output` for every other type.
pub trait AnyType<T> {
    /// The value as JSON.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    fn output(self) -> Result<Output, Error>
    where
        T: Answer;
}

impl<T> AnyType<T> for Returned<T> {
    fn output(self) -> Result<Output, Error>
    where
        T: Answer,
    {
        self.0.answer()
    }
}

/// What a tool may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a tool",
    label = "cannot be written as JSON with a schema",
    note = "derive `serde::Serialize` and `schemars::JsonSchema` for it, or return `String`, `Vec<Content>`, \
            `Output` or `()`"
)]
pub trait Answer {
    /// The value as a result: an object as data, a string as it is, anything else as the text of its JSON.
    ///
    /// # Errors
    /// Where it cannot be written as JSON.
    fn answer(self) -> Result<Output, Error>;

    /// The schema of the data.
    fn schema() -> Option<Value>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + JsonSchema> Answer for T {
    fn answer(self) -> Result<Output, Error> {
        from_json(serde_json::to_string(&self)?)
    }

    fn schema() -> Option<Value> {
        schema::of_result::<T>()
    }
}

fn from_json(json: String) -> Result<Output, Error> {
    match json.as_bytes().first() {
        Some(b'{') => Ok(Output { content: Vec::new(), structured: Some(json), meta: Vec::new() }),
        Some(b'"') => Ok(Output::text(serde_json::from_str::<String>(&json)?)),
        _ => Ok(Output::text(json)),
    }
}

/// The type that a function returns, without a value.
pub struct ReturnType<T>(PhantomData<T>);

impl<T> ReturnType<T> {
    /// The type.
    #[allow(clippy::new_without_default, reason = "only the macros write it")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T, E> ReturnType<Result<T, E>> {
    /// The type of the success.
    pub fn success(self) -> ReturnType<T> {
        ReturnType::new()
    }
}

/// [`ReturnType::success`] for what is no `Result`.
pub trait AnySuccess: Sized {
    /// The type itself.
    #[must_use]
    fn success(self) -> Self {
        self
    }
}

impl<T> AnySuccess for ReturnType<T> {}

macro_rules! without_schema {
    ($($kind:ty),+) => {
        $(impl ReturnType<$kind> {
            /// None: it is no data.
            pub fn schema(self) -> Option<Value> {
                None
            }
        })+
    };
}

without_schema!(Output, Vec<Content>, Content, ());

/// `schema` for every other type.
pub trait AnySchema<T> {
    /// The schema, where values of the type are JSON objects.
    fn schema(self) -> Option<Value>
    where
        T: Answer;
}

impl<T> AnySchema<T> for ReturnType<T> {
    fn schema(self) -> Option<Value>
    where
        T: Answer,
    {
        T::schema()
    }
}

/// What a rule may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a rule",
    note = "return `Vec<hubcap_sdk::Found>`, empty where there is nothing to say, or `Option<hubcap_sdk::Found>`"
)]
pub trait Findings {
    /// All that was found.
    fn into_vec(self) -> Vec<Found>;
}

impl Findings for Vec<Found> {
    fn into_vec(self) -> Vec<Found> {
        self
    }
}

impl Findings for Option<Found> {
    fn into_vec(self) -> Vec<Found> {
        self.into_iter().collect()
    }
}

/// What a model may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a model",
    note = "return `hubcap_sdk::Completion`; `Completion::text(\"…\")` makes one of a text"
)]
pub trait Answered {
    /// The completion.
    fn into_completion(self) -> Completion;
}

impl Answered for Completion {
    fn into_completion(self) -> Completion {
        self
    }
}

/// What `init` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of `init`",
    note = "return nothing, or `Result<(), hubcap_sdk::Error>`"
)]
pub trait Nothing {}

impl Nothing for () {}

/// What `health` may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of `health`",
    note = "return `hubcap_sdk::Status`, or `Result<(), hubcap_sdk::Error>` where an error means unhealthy"
)]
pub trait Health {
    /// The status.
    fn into_status(self) -> Status;
}

impl Health for Status {
    fn into_status(self) -> Status {
        self
    }
}

impl Health for () {
    fn into_status(self) -> Status {
        Status { healthy: true, message: String::new() }
    }
}

impl<T> Returned<T> {
    /// Of a rule.
    ///
    /// # Errors
    /// None.
    pub fn findings(self) -> Result<Vec<Found>, Error>
    where
        T: Findings,
    {
        Ok(self.0.into_vec())
    }

    /// Of a model.
    ///
    /// # Errors
    /// None.
    pub fn completion(self) -> Result<Completion, Error>
    where
        T: Answered,
    {
        Ok(self.0.into_completion())
    }

    /// Of `init`.
    ///
    /// # Errors
    /// None.
    pub fn nothing(self) -> Result<(), Error>
    where
        T: Nothing,
    {
        Ok(())
    }

    /// Of `health`.
    ///
    /// # Errors
    /// None.
    pub fn status(self) -> Result<Status, Error>
    where
        T: Health,
    {
        Ok(self.0.into_status())
    }
}
