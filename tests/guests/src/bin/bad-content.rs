//! Returns blocks that no client should follow or believe: links of a kind, an image that is none.

use hubcap_sdk::bindings::plugin::hubcap::plugin::tool_types::{
    EmbeddedResource, ResourceBody, ResourceLink,
};
use hubcap_sdk::bindings::plugin::hubcap::plugin::types::Blob;
use hubcap_sdk::{Content, Error, Output};
use test_guests::{Value, text};

/// A link and a resource of this address, between two texts.
fn links(arguments: &Value) -> Result<Output, Error> {
    let uri = || text(arguments, "uri").to_owned();
    let content = vec![
        Content::Text("before".to_owned()),
        Content::Link(ResourceLink { uri: uri(), name: "link".to_owned(), media_type: None }),
        Content::Embedded(EmbeddedResource {
            uri: uri(),
            media_type: None,
            body: ResourceBody::Text("inside".to_owned()),
        }),
        Content::Text("after".to_owned()),
    ];
    Ok(Output { content, structured: None, meta: Vec::new() })
}

/// Bytes of this text that claim to be of this type.
fn image(arguments: &Value) -> Result<Output, Error> {
    let data = text(arguments, "bytes").as_bytes().to_vec();
    let image = Content::Image(Blob { data, media_type: text(arguments, "type").to_owned() });
    Ok(Output { content: vec![image], structured: None, meta: Vec::new() })
}

test_guests::tools! { "links" => links, "image" => image }
