//! What takes long is a handle. A guest runs two programs and two hub calls at once and joins over all
//! four; here the test itself is the host, with doubles for `process` and `hub`.
//!
//! Invariant: the doubles let nobody go on before all have started, so that a guest which runs one after
//! the other never ends.
#![allow(unreachable_pub, reason = "the generated bindings re-export the types that they are given")]

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinHandle;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use double::hubcap::plugin::tool_types::{Content, ToolOutput};
use double::hubcap::plugin::types::{Context, Error};
use double::hubcap::plugin::{hub, process};

use crate::support::{SOON, guests};

#[allow(missing_docs, reason = "generated")]
mod double {
    wasmtime::component::bindgen!({
        path: "sdk/wit",
        inline: "
            package hubcap:double;
            world double {
                import hubcap:plugin/process@1.0.0;
                import hubcap:plugin/hub@1.0.0;
                export hubcap:plugin/lifecycle@1.0.0;
                export hubcap:plugin/tools@1.0.0;
            }
        ",
        world: "hubcap:double/double",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "hubcap:plugin/process.running": super::Program,
            "hubcap:plugin/hub.pending": super::Call,
        },
    });
}

/// A job that runs: what it has told and nobody has taken. Dropping it ends the job.
pub struct Job<E> {
    name: String,
    events: mpsc::UnboundedReceiver<E>,
    next: Option<E>,
    work: JoinHandle<()>,
}

pub type Program = Job<process::Event>;
pub type Call = Job<hub::Event>;

impl<E: Send + 'static> Job<E> {
    /// Starts a job that tells its events once all others have started too.
    fn start(state: &State, name: String, script: Vec<E>) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let (all_started, alive) = (Arc::clone(&state.all_started), Arc::clone(&state.alive));
        let work = tokio::spawn(async move {
            let _alive = alive;
            all_started.wait().await;
            for event in script {
                // Nobody listens any more once the handle is gone.
                let _ = tell.send(event);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Self { name, events, next: None, work }
    }

    fn take(&mut self) -> Option<E> {
        self.next.take().or_else(|| self.events.try_recv().ok())
    }
}

impl<E> Drop for Job<E> {
    fn drop(&mut self) {
        self.work.abort();
    }
}

#[async_trait::async_trait]
impl<E: Send + 'static> Pollable for Job<E> {
    async fn ready(&mut self) {
        if self.next.is_none() {
            self.next = self.events.recv().await;
        }
    }
}

/// The store's data: the doubles.
struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    all_started: Arc<Barrier>,
    alive: Arc<()>,
    started: Vec<String>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

type Told<T> = wasmtime::Result<Result<T, Error>>;

impl process::Host for State {
    async fn start(&mut self, command: String, _: process::Options) -> Told<Resource<Program>> {
        self.started.push(command.clone());
        let said = format!("{command} says").into_bytes();
        let script = vec![
            process::Event::Stdout(said),
            process::Event::Stderr(b"a warning".to_vec()),
            process::Event::Closed,
        ];
        let program = Job::start(self, command, script);
        Ok(Ok(self.table.push(program)?))
    }
}

impl process::HostRunning for State {
    async fn subscribe(&mut self, this: Resource<Program>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, this)
    }

    async fn next(&mut self, this: Resource<Program>) -> Told<Option<process::Event>> {
        Ok(Ok(self.table.get_mut(&this)?.take()))
    }

    async fn write_stdin(&mut self, _: Resource<Program>, bytes: Vec<u8>) -> Told<u32> {
        Ok(Ok(bytes.len() as u32))
    }

    async fn close_stdin(&mut self, _: Resource<Program>) -> wasmtime::Result<()> {
        Ok(())
    }

    async fn finish(&mut self, this: Resource<Program>) -> Told<process::Exit> {
        self.table.delete(this)?;
        Ok(Ok(process::Exit { code: Some(0), signal: None, timed_out: false }))
    }

    async fn drop(&mut self, this: Resource<Program>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl hub::Host for State {
    async fn callees(&mut self) -> Told<Vec<hub::Callee>> {
        Ok(Ok(Vec::new()))
    }

    async fn start_tool(&mut self, name: String, _arguments: String) -> Told<Resource<Call>> {
        self.started.push(name.clone());
        let script = vec![
            hub::Event::Progress((1.0, Some(2.0))),
            hub::Event::Partial("half".to_owned()),
            hub::Event::Ready,
        ];
        let call = Job::start(self, name, script);
        Ok(Ok(self.table.push(call)?))
    }

    async fn start_validate(
        &mut self,
        _: Option<String>,
        _: hub::Artifact,
        _: hub::ValidateOptions,
    ) -> Told<Resource<Call>> {
        Ok(Err(no_such("validator")))
    }

    async fn start_complete(&mut self, _: String, _: hub::Request) -> Told<Resource<Call>> {
        Ok(Err(no_such("provider")))
    }
}

fn no_such(kind: &str) -> Error {
    Error { code: "denied".to_owned(), message: format!("the double has no {kind}"), meta: Vec::new() }
}

impl hub::HostPending for State {
    async fn subscribe(&mut self, this: Resource<Call>) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(&mut self.table, this)
    }

    async fn next(&mut self, this: Resource<Call>) -> Told<Option<hub::Event>> {
        Ok(Ok(self.table.get_mut(&this)?.take()))
    }

    async fn finish(&mut self, this: Resource<Call>) -> Told<hub::Reply> {
        let call = self.table.delete(this)?;
        let content = vec![Content::Text(format!("{} answers", call.name))];
        Ok(Ok(hub::Reply::Tool(ToolOutput { content, structured: None, meta: Vec::new() })))
    }

    async fn drop(&mut self, this: Resource<Call>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// Calls one tool of the guest, and returns its text and the doubles as it left them.
async fn call(tool: &str) -> (String, State) {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, &guests::wasm("handles")).unwrap();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
    process::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    hub::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let state = State {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
        all_started: Arc::new(Barrier::new(4)),
        alive: Arc::new(()),
        started: Vec::new(),
    };
    let mut store = Store::new(&engine, state);
    let guest = double::Double::instantiate_async(&mut store, &component, &linker).await.unwrap();
    let empty = "{}".to_owned();
    guest.hubcap_plugin_lifecycle().call_init(&mut store, &empty).await.unwrap().unwrap();
    let context = Context { call_id: "1".to_owned(), deadline_ms: 20_000, depth: 0, meta: Vec::new() };
    let output = tokio::time::timeout(
        SOON,
        guest.hubcap_plugin_tools().call_call_tool(&mut store, tool, &empty, &context),
    )
    .await
    .expect("the guest joins over all that it started")
    .unwrap()
    .unwrap();
    let Some(Content::Text(text)) = output.content.into_iter().next() else { panic!("no text") };
    (text, store.into_data())
}

#[tokio::test]
async fn a_guest_runs_two_programs_and_two_hub_calls_at_once() {
    let (text, state) = call("both").await;
    assert_eq!(state.started, ["first", "second", "one_tool", "two_tool"]);
    let seen = |name: &str| -> Vec<&str> {
        let prefix = format!("{name}: ");
        text.lines().filter_map(|line| line.strip_prefix(prefix.as_str())).collect()
    };
    for name in ["first", "second"] {
        assert_eq!(seen(name), [&format!("out {name} says"), "err a warning", "exit Some(0)"], "{text}");
    }
    for name in ["one_tool", "two_tool"] {
        assert_eq!(seen(name), ["progress 1", "partial half", &format!("reply {name} answers")], "{text}");
    }
    assert_eq!(text.lines().count(), 12, "{text}");
    // Joining means taking what is there: each job was heard before any of them was over.
    let first_end = text.lines().position(|line| line.contains("exit") || line.contains("reply")).unwrap();
    for name in ["first", "second", "one_tool", "two_tool"] {
        let heard = text.lines().position(|line| line.starts_with(name)).unwrap();
        assert!(heard < first_end, "{name} was heard after another had ended: {text}");
    }
}

#[tokio::test]
async fn dropping_a_handle_cancels_what_it_stands_for() {
    let (text, state) = call("drop").await;
    assert_eq!(text, "2");
    assert_eq!(state.started, ["first", "one_tool"]);
    let ended = tokio::time::timeout(SOON, async {
        while Arc::strong_count(&state.alive) > 1 {
            tokio::task::yield_now().await;
        }
    });
    assert!(ended.await.is_ok(), "what was dropped still runs");
}
