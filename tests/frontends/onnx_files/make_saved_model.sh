#!/bin/sh
# Makes saved_model.onnx: the model `images` of keras_files as a SavedModel, and that as the refusal of its folder says.
#     pip install tensorflow-cpu==2.21 keras==3.15.1 tf2onnx==1.17.0
set -e
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
python -c "import keras, sys; keras.models.load_model(sys.argv[1]).export(sys.argv[2])" \
    "$here/../keras_files/keras_3/images.keras" "$folder/saved"
python -m tf2onnx.convert --saved-model "$folder/saved" --output "$here/saved_model.onnx"
cp "$here/../keras_files/keras_3/images.npz" "$here/saved_model.npz"
