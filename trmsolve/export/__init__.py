"""One improvement cycle as an ONNX graph: written by torch's exporter, and compared with torch."""
