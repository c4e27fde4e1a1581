//! `BatchDeleteImage`.

use serde_json::{Value, json};

use super::{Ecr, Repository, images::ImageId};
use crate::ApiError;

impl Ecr {
    pub(super) fn batch_delete_image(&mut self, input: &Value) -> Result<Value, ApiError> {
        let ids = ImageId::required(input)?;
        let repository = self.repository_mut(input)?;
        let mut deleted = Vec::new();
        let mut failures = Vec::new();
        for id in ids {
            match repository.delete(&id) {
                Ok(rows) => deleted.extend(rows),
                Err(failure) => failures.push(failure),
            }
        }
        Ok(json!({"imageIds": deleted, "failures": failures}))
    }
}

impl Repository {
    /// A tag leaves its image, and the last tag takes the image along; a digest takes the image and all its tags.
    fn delete(&mut self, id: &ImageId<'_>) -> Result<Vec<Value>, Value> {
        let digest = self.locate(id)?.to_owned();
        let tags: Vec<String> = self.tags_of(&digest).into_iter().map(str::to_owned).collect();
        let removed: Vec<String> = match (id.tag, id.digest) {
            (Some(tag), None) => vec![tag.to_owned()],
            (Some(_) | None, _) => tags.clone(),
        };
        let image_goes = removed.len() >= tags.len();
        let is_referenced =
            self.images.values().any(|image| image.manifest.children.contains(&digest));
        if image_goes && is_referenced {
            return Err(id.failure(
                "ImageReferencedByManifestList",
                "Requested image referenced by manifest list",
            ));
        }
        for tag in &removed {
            self.tags.remove(tag);
        }
        if image_goes {
            self.images.remove(&digest);
        }
        if removed.is_empty() {
            return Ok(vec![json!({"imageDigest": digest})]);
        }
        Ok(removed.iter().map(|tag| json!({"imageDigest": digest, "imageTag": tag})).collect())
    }
}
