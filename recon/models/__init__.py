"""Adapters of pretrained models, one file each.

The floor's rule: an adapter implements one protocol of `recon.protocols`, has numpy outside and its framework inside,
imports that framework in the function that needs it, and never falls back silently. What it needs and does not find
ends as `MissingDependency` or `MissingWeights`, one sentence that closes with the command to run.

    catalogue.py    which models there are: kind, licence, size, where the weights come from
    weights.py      where the weights lie on this computer, and how to get them here
    layout.py       which adapter a folder, a file or a hub's id is for
    pretrained_depth.py     what the depth models share
    depth_hf.py     depth models in transformers' format
    hf.py           reading a folder in transformers' format
    moge.py         MoGe-2 in ONNX
    depth_anything3.py depth_anything3_net.py    Depth Anything 3 for one photo
    sam.py sam_hf.py rembg.py grabcut.py    segmenters; prompts.py holds what they share
    soft_import.py device.py                packages that may be missing; cpu or cuda

`import recon.models` loads no framework. The network that ships (`builtin`) is not here but in `recon.builtin`;
`recon.registry` builds both kinds by name.
"""
