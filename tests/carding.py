"""What tests of cards begin with: cards that keep every rule, and reports that prove something."""

from __future__ import annotations

from typing import Any

from hubpub.verify.report import validate
from reporting import document

HUB = """---
layout: hub_detail
background-class: hub-background
body-class: hub
category: researchers
title: U-Net
summary: Finds what is there
image: no-image
author: Octo
tags: [vision]
github-link: https://github.com/octo/net
github-id: octo/net
featured_image_1: pytorch-logo.png
accelerator: "cuda-optional"
order: 10
---

```python
import torch
model = torch.hub.load("octo/net:v1.0", "unet", trust_repo=True)
```

### Model Description

It finds what is there.

### References

```bash
wget https://example.org
```
"""
HUGGINGFACE = """---
license: bsd-3-clause
library_name: pytorch
pipeline_tag: image-segmentation
tags:
- pytorch
model-index:
- name: unet
  results: []
---

# U-Net

```python
model = torch.hub.load("octo/net:v1.0", "unet", trust_repo=True)
```
"""


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def report(said: str, **changes: Any) -> dict[str, Any]:
    """A report that passed, of octo/net:v1.0, with ``said`` wherever others can say something."""
    found = document(said)
    for entrypoint in found["entrypoints"]:
        loaded = entrypoint["results"][0]
        loaded["axes"] = loaded["axes"] | {"loads": {"status": "pass", "reason": None}}
        default = {**loaded, "case": "default", "device": "cpu"}
        entrypoint["results"].append(default)
    reference = {"owner": "octo", "repo": "net", "ref": "v1.0", "kind": "tag", "requested": "v1.0"}
    found = found | {"status": "pass", "commit": "c" * 40, "reference": reference} | changes
    validate(found)
    return found


def two() -> dict[str, Any]:
    """A report with one proven entrypoint, which has a checkpoint, and one that does not load."""
    found = report("x")
    (good,) = found["entrypoints"]
    good["name"] = "unet"
    good["results"] = [good["results"][2] | {"case": case} for case in ("default", "pretrained")]
    axes = good["results"][0]["axes"]
    broken = {**good["results"][0], "axes": axes | {"loads": {"status": "fail", "reason": "boom"}}}
    found["entrypoints"].append({"name": "other", "results": [broken]})
    mine = found["checkpoints"][0] | {
        "filename": "unet-aaaaaaaa.pth", "entrypoints": ["other", "unet"], "size": 2048,
        "urls": ["https://example.org/unet-aaaaaaaa.pth"],
    }  # fmt: skip
    theirs = mine | {"filename": "other.pth", "sha256": "b" * 64, "entrypoints": ["other"]}
    return found | {"checkpoints": [mine, theirs], "findings": []}
