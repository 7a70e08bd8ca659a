//! A model of a provider is a function that answers a conversation.

use hubcap_sdk::{Completion, Error, Request, model, progress};

/// Says again what was said last.
#[model]
fn echo(request: Request) -> Result<Completion, Error> {
    let asked = request.messages.last().map_or("", |message| &message.text);
    let text = answer(asked)?;
    // Whoever waits sees this before the whole answer is there.
    progress::partial(&text);
    let words = |text: &str| text.split_whitespace().count() as u64;
    Ok(Completion::text(&text).usage(words(asked), words(&text)))
}

fn answer(asked: &str) -> Result<String, Error> {
    if asked.trim().is_empty() {
        return Err(Error::invalid_arguments("nothing is asked: write a prompt"));
    }
    Ok(format!("You said: {asked}"))
}

hubcap_sdk::plugin!(models: [echo]);

#[cfg(test)]
mod tests {
    #[test]
    fn whatever_is_said_is_repeated() {
        assert_eq!(super::answer("Hello").unwrap(), "You said: Hello");
        assert!(super::answer(" ").is_err());
    }
}
