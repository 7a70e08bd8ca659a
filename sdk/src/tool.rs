//! Making tool definitions.

use serde_json::Value;

use crate::{Annotations, Tool};

impl Tool {
    /// A tool with its name, its description for the model and the schema of its arguments.
    pub fn new(name: impl Into<String>, description: impl Into<String>, input_schema: &Value) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            input_schema: input_schema.to_string(),
            output_schema: None,
            annotations: Annotations {
                read_only: None,
                destructive: None,
                idempotent: None,
                open_world: None,
            },
            meta: Vec::new(),
        }
    }

    /// With a short name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With the schema of its structured result, against which the host checks every result.
    #[must_use]
    pub fn output_schema(mut self, schema: &Value) -> Self {
        self.output_schema = Some(schema.to_string());
        self
    }

    /// Marked as changing nothing, inside the plugin and outside of it: read-only, not destructive,
    /// idempotent, and reaching nowhere.
    #[must_use]
    pub fn pure(mut self) -> Self {
        self.annotations = Annotations {
            read_only: Some(true),
            destructive: Some(false),
            idempotent: Some(true),
            open_world: Some(false),
        };
        self
    }
}
