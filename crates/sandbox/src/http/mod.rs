//! The server: takes a request in, lets faults and the simulated hosts answer it, writes it down in the
//! journal. All decisions happen in one short locked step; only faults, media fetches and callback
//! checks wait, and they wait without the lock.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod fetch;
pub(crate) mod line;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use answer::{Answer, Content};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::Response;
use call::{Call, Host};
use line::Line;
use tokio::sync::Notify;

use crate::faults::{After, Before, Fault};
use crate::world::World;
use crate::{cdn, control, dialog, graph};

/// Larger bodies are refused: the platform's media limit plus the form around it.
const BODY_LIMIT: usize = 30 * 1024 * 1024;

/// What server, handles and background work share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    /// Rings when something may have to be sent or may have come due.
    pub(crate) bell: Notify,
    /// Rings after every webhook attempt.
    pub(crate) sent: Notify,
    pub(crate) client: reqwest::Client,
    /// Follows no redirect: shops count one as a failure.
    pub(crate) direct: reqwest::Client,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Shared {
            world: Mutex::new(world),
            bell: Notify::new(),
            sent: Notify::new(),
            client: reqwest::Client::new(),
            direct: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(1))
                .build()
                .unwrap_or_default(),
        }
    }

    /// The world. A panic elsewhere leaves it readable: a test should see what was there.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the server answers.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .fallback(serve)
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return Answer::html(413, "too large".into()).into_response();
    };
    let mut call = call::read(parts, body).await;
    if call.host == Host::Control {
        let answer = control::answer(&shared, &call).await;
        shared.bell.notify_one();
        return answer.into_response();
    }
    for address in fetch::urls(&call) {
        let got = match cdn::own(&shared, &address) {
            Some(got) => got,
            None => fetch::fetch(&shared.client, &address).await,
        };
        call.fetched.insert(address, got);
    }
    let fault = shared.world().take_fault(&call);
    if let Some(answer) = before(&fault, &line).await {
        shared
            .world()
            .write_down(&call, &answer, fault_word(&fault));
        return answer.into_response();
    }
    let mut answer = match graph::subscriptions::verify_first(&shared, &call).await {
        Some(refused) => refused,
        None => {
            let mut world = shared.world();
            world.catch_up();
            answer_now(&mut world, &call, fault.as_ref())
        }
    };
    shared.bell.notify_one();
    if let Some(fault) = &fault
        && fault.after == Some(After::BadJson)
    {
        answer.content = Content::Text(
            "{\"data\":[{\"id\":\"t_1".into(),
            "application/json; charset=UTF-8",
        );
    }
    shared
        .world()
        .write_down(&call, &answer, fault_word(&fault));
    if let Some(fault) = &fault {
        after(fault, &line).await;
    }
    answer.into_response()
}

fn fault_word(fault: &Option<Fault>) -> Option<String> {
    fault.as_ref().map(Fault::word)
}

/// Faults that answer instead of the platform.
async fn before(fault: &Option<Fault>, line: &Line) -> Option<Answer> {
    let fault = fault.as_ref()?;
    if fault.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(fault.latency_ms)).await;
    }
    match fault.before.as_ref()? {
        Before::Reset => {
            line.cut();
            Some(Answer::html(500, String::new()))
        }
        Before::Status { status } => Some(Answer::html(
            *status,
            format!("<html><head><title>Error</title></head><body>{status}</body></html>"),
        )),
        Before::Error(error) => Some(error.clone().into_error().into_answer("sandboxfault")),
    }
}

/// Faults that let the platform do its work and then spoil the answer.
async fn after(fault: &Fault, line: &Line) {
    match fault.after {
        Some(After::Reset) => line.cut(),
        Some(After::Late { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
        _ => {}
    }
}

/// The locked step.
pub(crate) fn answer_now(world: &mut World, call: &Call, fault: Option<&Fault>) -> Answer {
    match call.host {
        Host::GraphFacebook | Host::GraphInstagram => graph::answer(world, call, fault),
        Host::ApiInstagram => graph::ig_oauth::exchange_code(world, call),
        Host::WwwFacebook => dialog::facebook::answer(world, call),
        Host::WwwInstagram => dialog::instagram::answer(world, call),
        Host::Cdn => cdn::answer(world, call),
        Host::Control => Answer::html(404, "not here".into()),
    }
}
