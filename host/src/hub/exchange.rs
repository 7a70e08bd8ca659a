//! The hub as plugins call it: along the same way as everybody.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::hub::Hub;
use crate::imports::Exchange;
use crate::model::{
    Call, Callee, CalleeKind, Completion, Conversation, Report, ToolCall, ToolOutput, Validation,
};
use crate::outcome::Outcome;
use crate::plugin::{Kind, Plugin};

impl Exchange for Hub {
    fn tool(self: Arc<Self>, call: Call<ToolCall>) -> BoxFuture<'static, Outcome<ToolOutput>> {
        Box::pin(async move { self.call(call).await })
    }

    fn validate(self: Arc<Self>, call: Call<Validation>) -> BoxFuture<'static, Outcome<Report>> {
        Box::pin(async move { self.call(call).await })
    }

    fn complete(self: Arc<Self>, call: Call<Conversation>) -> BoxFuture<'static, Outcome<Completion>> {
        Box::pin(async move { self.call(call).await })
    }

    fn present(self: Arc<Self>, callees: BTreeSet<Callee>) -> BoxFuture<'static, Vec<(Callee, String)>> {
        Box::pin(async move {
            self.wait_until_loaded().await;
            let registry = self.registry.load();
            let described = callees.into_iter().filter_map(|callee| {
                let plugin = registry.plugin(callee.plugin().as_str())?;
                Some(description(&plugin, &callee)?).map(|description| (callee, description))
            });
            described.collect()
        })
    }
}

/// What a callee says of itself, if it is there.
fn description(plugin: &Plugin, callee: &Callee) -> Option<String> {
    match callee.kind() {
        CalleeKind::Tool => {
            let tool = plugin.tools.iter().find(|tool| tool.tool.name == callee.name());
            tool.map(|tool| tool.tool.description.clone())
        }
        CalleeKind::Validator => plugin.kinds().contains(&Kind::Validators).then(|| about(plugin)),
        CalleeKind::Provider => plugin.kinds().contains(&Kind::Providers).then(|| {
            let models: Vec<&str> = plugin.models.iter().map(|model| model.id.as_str()).collect();
            format!("{} Models: {}.", about(plugin), models.join(", ")).trim_start().to_owned()
        }),
    }
}

fn about(plugin: &Plugin) -> String {
    let manifest = plugin.about.manifest.as_ref();
    manifest.and_then(|manifest| manifest.description.clone()).unwrap_or_default()
}
