// Written by frontend/build.mjs: the one place that knows the bundle's name.
export * from "../vendor/three-ffcfc380d6.js";
