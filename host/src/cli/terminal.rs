//! Asking whether a call may run, on the terminal of whoever makes it.
//!
//! Invariant: only a clear yes is one, and nobody is asked where nobody would see the question.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::pin::Pin;

use crate::model::{Answer, Approver, Question};

/// The person at the command line.
#[derive(Debug)]
pub(super) struct Terminal {
    /// They said yes beforehand, by `--approve`.
    pub(super) approved: bool,
}

impl Terminal {
    async fn put(&self, question: &Question) -> Answer {
        if self.approved {
            return Answer::Approved;
        }
        if !stdin().is_terminal() || !stderr().is_terminal() {
            return Answer::Nobody("there is no terminal to ask on (`--approve` is a yes beforehand)".into());
        }
        let text = question.text.clone();
        // On a thread of its own: where the time is up, nobody waits for the reading to end.
        let asked = tokio::task::spawn_blocking(move || prompt(&text, &mut stdin().lock(), &mut stderr()));
        asked.await.unwrap_or_else(|_| Answer::Nobody("the terminal could not be read".into()))
    }
}

impl Approver for Terminal {
    fn caller(&self) -> String {
        match self.approved {
            true => "a person on the command line, who approved beforehand".into(),
            false => "a person on the command line".into(),
        }
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(self.put(question))
    }
}

fn prompt(text: &str, input: &mut impl BufRead, output: &mut impl Write) -> Answer {
    let mut line = String::new();
    let asked = write!(output, "{text}Approve? [y/N] ").and_then(|()| output.flush());
    match asked.and_then(|()| input.read_line(&mut line)) {
        Err(error) => Answer::Nobody(format!("the terminal cannot be used: {error}")),
        Ok(0) => Answer::Dismissed,
        Ok(_) if ["y", "yes"].contains(&line.trim().to_ascii_lowercase().as_str()) => Answer::Approved,
        Ok(_) => Answer::Declined,
    }
}

#[cfg(test)]
mod tests {
    use super::prompt;
    use crate::model::Answer;

    #[test]
    fn only_a_clear_yes_is_one() {
        let answer = |typed: &str| {
            let mut shown = Vec::new();
            let answer = prompt("may it?\n", &mut typed.as_bytes(), &mut shown);
            assert_eq!(String::from_utf8(shown).unwrap(), "may it?\nApprove? [y/N] ");
            answer
        };
        for yes in ["y\n", "Y\n", " yes \r\n"] {
            assert_eq!(answer(yes), Answer::Approved, "{yes:?}");
        }
        for no in ["\n", "n\n", "yess\n", "y y\n", "ja\n"] {
            assert_eq!(answer(no), Answer::Declined, "{no:?}");
        }
        assert_eq!(answer(""), Answer::Dismissed);
    }
}
