//! A small outside world for tests: answers by path, and what it was asked.
#![allow(clippy::unwrap_used)]

use crate::{
    Endpoints,
    profile::testing::{Opened, profile},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::Response,
};
use std::{
    collections::HashMap,
    io::Cursor,
    sync::{Arc, Mutex},
};
use url::Url;

/// Status, where to, content.
type Answer = (u16, Option<String>, Vec<u8>);

/// Answers and questions.
#[derive(Clone)]
pub(crate) struct World {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// Where it listens.
    pub(crate) base: Url,
}

impl World {
    /// Starts one; it ends with the test.
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let world = Self {
            answers: Arc::default(),
            asked: Arc::default(),
            base,
        };
        let app = Router::new().fallback(answer).with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        world
    }

    /// A profile that lives in it.
    pub(crate) async fn profile(&self) -> Opened {
        profile(Endpoints::sandbox(&self.base, self.base.clone()).unwrap()).await
    }

    /// From now on `path` answers this.
    pub(crate) fn says(&self, path: &str, status: u16, body: impl Into<Vec<u8>>) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.into(), (status, None, body.into()));
    }

    /// From now on `path` sends on to `to`.
    pub(crate) fn sends_on(&self, path: &str, to: &str) {
        self.answers
            .lock()
            .unwrap()
            .insert(path.into(), (302, Some(to.into()), Vec::new()));
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|asked| *asked == path)
            .count()
    }

    /// Everything asked so far.
    pub(crate) fn asked_in_all(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// An address in it.
    pub(crate) fn at(&self, path: &str) -> String {
        self.base.join(path).unwrap().to_string()
    }
}

async fn answer(State(world): State<World>, request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    world.asked.lock().unwrap().push(path.clone());
    let found = world.answers.lock().unwrap().get(&path).cloned();
    let (status, to, body) = found.unwrap_or((500, None, Vec::new()));
    let mut response = Response::builder().status(status);
    if let Some(to) = to {
        response = response.header("location", to);
    }
    response.body(Body::from(body)).unwrap()
}

/// A small picture in one colour.
pub(crate) fn picture(red: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::from_pixel(24, 24, image::Rgb([red, 120, 40]));
    picture
        .write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png)
        .unwrap();
    bytes
}
