//! `hubcap:plugin/kv`: state that outlives a call.
//!
//! Invariant: a guest names keys and nothing else; whose they are was settled when its plugin was loaded.
//! Without a grant nothing is looked at, so that the error tells nothing of what is there.

use std::sync::Arc;

use crate::bindings::{Error, kv};
use crate::error::{CallError, Code};
use crate::imports::Imports;
use crate::model::PluginId;
use crate::state::{Namespace, State};

/// What is suggested where the author says no number.
const SUGGESTED: u64 = 1 << 20;

/// What a plugin may do with state.
#[derive(Clone)]
pub(crate) struct Access {
    namespace: Result<Namespace, Arc<str>>,
    /// Whether the log has been told that it was denied.
    is_told: bool,
    /// Whether the call has used it.
    pub(super) is_used: bool,
}

impl Access {
    /// The access of a plugin whose author asked for so many bytes, of which so many are granted.
    pub(crate) fn new(
        state: &Arc<State>,
        plugin: &PluginId,
        asked: Option<u64>,
        granted: Option<u64>,
    ) -> Self {
        let namespace = match granted {
            Some(quota) => Ok(Namespace::new(Arc::clone(state), plugin.clone(), quota)),
            None => Err(denied(plugin, asked).into()),
        };
        Self { namespace, is_told: false, is_used: false }
    }

    fn namespace(&mut self) -> Result<&Namespace, Error> {
        self.is_used |= self.namespace.is_ok();
        self.namespace.as_ref().map_err(|why| {
            if !std::mem::replace(&mut self.is_told, true) {
                tracing::warn!("denied: {why}");
            }
            error(Code::Denied, why)
        })
    }
}

fn denied(plugin: &PluginId, asked: Option<u64>) -> String {
    let line = format!("kv = {}", asked.unwrap_or(SUGGESTED));
    let author = match asked {
        Some(_) => String::new(),
        None => format!("its author adds `{line}` under [ask] in plugin.toml, then "),
    };
    format!(
        "state is not granted; {author}the operator adds `{line}` under [plugins.{plugin}.grant] in hubcap.toml"
    )
}

fn error(code: Code, message: &str) -> Error {
    Error { code: code.as_str().to_owned(), message: message.to_owned(), meta: Vec::new() }
}

fn given(refused: CallError) -> Error {
    error(refused.code, refused.message())
}

impl kv::Host for Imports {
    async fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, Error> {
        self.kv.namespace()?.get(key).await.map_err(given)
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Error> {
        self.kv.namespace()?.set(key, value).await.map_err(given)
    }

    async fn delete(&mut self, key: String) -> Result<(), Error> {
        self.kv.namespace()?.delete(key).await.map_err(given)
    }

    async fn list(&mut self, prefix: String, start: Option<String>) -> Result<kv::Page, Error> {
        let page = self.kv.namespace()?.list(prefix, start).await.map_err(given)?;
        Ok(kv::Page { keys: page.keys, next: page.next })
    }

    async fn increment(&mut self, key: String, by: i64) -> Result<i64, Error> {
        self.kv.namespace()?.increment(key, by).await.map_err(given)
    }

    async fn compare_and_swap(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, Error> {
        self.kv.namespace()?.compare_and_swap(key, expected, value).await.map_err(given)
    }
}
